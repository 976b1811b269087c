package lint

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Imports checks every import against rooms, and that every package of the
// tree has a room. Test files are free to import any room but the command
// line: an oracle may come from anywhere.
func Imports(t *Tree, rooms map[string]Room) []Finding {
	var found []Finding
	for _, dir := range t.rooms() {
		if _, ok := rooms[dir]; !ok {
			found = append(found, Finding{
				Place:  dir,
				Fault:  "this package is missing from the map of the module",
				Remedy: "add it to Rooms in internal/lint/rooms.go with the rooms that it stands on, and to docs/architecture.md",
			})
		}
	}
	for _, f := range t.Files {
		room, ok := rooms[f.Room()]
		if !ok {
			continue
		}
		open := below(rooms, f.Room())
		for _, spec := range f.Syntax.Imports {
			to, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue // the parser has refused such a file
			}
			var fault, remedy string
			if target, inside := t.inside(to); inside {
				fault, remedy = judgeRoom(f, target, open)
			} else if !f.IsTest() && to == startsPrograms {
				fault, remedy = judgeStart(f, room)
			} else if !f.IsTest() && !standard(to) {
				fault, remedy = judgeModule(f, to, room)
			}
			if fault != "" {
				found = append(found, Finding{Place: t.place(spec.Pos()), Fault: fault, Remedy: remedy})
			}
		}
	}
	return found
}

func judgeRoom(f *File, target string, open []string) (fault, remedy string) {
	from := f.Room()
	if target == from || slices.Contains(open, target) || f.IsTest() && target != commandLine {
		return "", ""
	}
	return fmt.Sprintf("%s imports %s, want one of: %s", from, target, list(open)),
		"imports go one way, down: move the code to the room that may know both, or pass in what is needed; " +
			"where the map itself is wrong change internal/lint/rooms.go and docs/architecture.md together"
}

// startsPrograms is the package without which no program is started.
const startsPrograms = "os/exec"

func judgeStart(f *File, room Room) (fault, remedy string) {
	if room.Starts {
		return "", ""
	}
	return fmt.Sprintf("%s imports %s, and may start no program", f.Room(), startsPrograms),
		"go through package model/process, which ends what it starts; where a room has to start programs itself, say so in internal/lint/rooms.go"
}

func judgeModule(f *File, to string, room Room) (fault, remedy string) {
	if slices.ContainsFunc(room.Modules, func(m string) bool { return strings.HasPrefix(to, m) }) {
		return "", ""
	}
	return fmt.Sprintf("%s imports %s, want the standard library or: %s", f.Room(), to, list(room.Modules)),
		"do without, or use the room that wraps this module; " +
			"a new dependency goes to Modules in internal/lint/rooms.go and docs/dependencies.md"
}

// inside returns the folder of an import path of this module.
func (t *Tree) inside(importPath string) (dir string, ok bool) {
	if importPath == t.Module {
		return ".", true
	}
	return strings.CutPrefix(importPath, t.Module+"/")
}

// standard reports whether an import path belongs to the standard library:
// the path of a module that can be downloaded starts with a host name.
func standard(importPath string) bool {
	host, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(host, ".")
}

// below returns all rooms that dir may import, sorted.
func below(rooms map[string]Room, dir string) []string {
	open := map[string]bool{}
	for _, e := range Everywhere {
		if !slices.Contains(Everywhere, dir) && (rooms[e].Core || !rooms[dir].Core) {
			open[e] = true
		}
	}
	var descend func(string)
	descend = func(d string) {
		for _, next := range rooms[d].Above {
			if !open[next] {
				open[next] = true
				descend(next)
			}
		}
	}
	descend(dir)
	return slices.Sorted(maps.Keys(open))
}

// Map checks rooms themselves: every room that another stands on exists, no
// room stands on itself, and what is core stands on core alone.
func Map(rooms map[string]Room) []Finding {
	const place = "internal/lint/rooms.go"
	var found []Finding
	for _, dir := range slices.Sorted(maps.Keys(rooms)) {
		room, open := rooms[dir], below(rooms, dir)
		if slices.Contains(open, dir) {
			found = append(found, Finding{place, fmt.Sprintf("%s stands on itself", dir), "cut the circle"})
		}
		for _, o := range open {
			if _, ok := rooms[o]; !ok {
				found = append(found, Finding{place, fmt.Sprintf("%s stands on %s, which is no room", dir, o), "mend the name, or add the room"})
			} else if room.Core && !rooms[o].Core {
				found = append(found, Finding{place, fmt.Sprintf("%s is core and stands on %s, which is not", dir, o), "keep the core on the standard library"})
			}
		}
		if room.Core && len(room.Modules) > 0 {
			found = append(found, Finding{place, fmt.Sprintf("%s is core and may import %s", dir, list(room.Modules)), "keep the core on the standard library"})
		}
	}
	return found
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
