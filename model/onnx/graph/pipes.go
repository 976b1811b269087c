package graph

import "math"

// pipes are a network whose smallest cut is wanted: the cheapest set of them that
// parts the sink from the source (Ford and Fulkerson, 1956).
type pipes struct {
	ends [][]int // pipes by the node that they start at
	to   []int
	room []int // what a pipe can still carry; pipe i^1 is its way back
}

// endless is the width of a pipe that is not to be cut.
const endless = math.MaxInt / 4

const source, sink = 0, 1

func newPipes(nodes int) *pipes { return &pipes{ends: make([][]int, nodes)} }

func (f *pipes) pipe(from, to, width int) {
	f.ends[from] = append(f.ends[from], len(f.to))
	f.ends[to] = append(f.ends[to], len(f.to)+1)
	f.to = append(f.to, to, from)
	f.room = append(f.room, width, 0)
}

// push fills the network by shortest paths, which bounds the number of rounds by
// nodes times pipes whatever the widths (Edmonds and Karp, 1972).
func (f *pipes) push() {
	for {
		via := f.search()
		if via[sink] < 0 {
			return
		}
		amount := endless
		for at := sink; at != source; at = f.to[via[at]^1] {
			amount = min(amount, f.room[via[at]])
		}
		if amount == endless {
			return // the sink cannot be parted from the source
		}
		for at := sink; at != source; at = f.to[via[at]^1] {
			f.room[via[at]] -= amount
			f.room[via[at]^1] += amount
		}
	}
}

// search returns the pipe by which each node is reached from the source, -1 for
// those that are not.
func (f *pipes) search() []int {
	via := make([]int, len(f.ends))
	for i := range via {
		via[i] = -1
	}
	seen := make([]bool, len(f.ends))
	seen[source] = true
	for queue := []int{source}; len(queue) > 0; queue = queue[1:] {
		for _, p := range f.ends[queue[0]] {
			if next := f.to[p]; f.room[p] > 0 && !seen[next] {
				seen[next], via[next] = true, p
				queue = append(queue, next)
			}
		}
	}
	return via
}

// reaching reports which nodes can still send to the sink. Of all smallest cuts,
// that between these and the others lies nearest to the sink.
func (f *pipes) reaching() []bool {
	seen := make([]bool, len(f.ends))
	seen[sink] = true
	for queue := []int{sink}; len(queue) > 0; queue = queue[1:] {
		for _, p := range f.ends[queue[0]] {
			if next := f.to[p]; f.room[p^1] > 0 && !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return seen
}
