package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/intershap/intershap/background"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A Source has the samples of a run; *dataset.Samples is one. Read must be safe
// for concurrent use. Its rows may lack modalities (dataset.Rows.Present): what stands
// in their place is never looked at. Where samples were drawn from a file, a method
// Number(i int) int gives the row that sample i is, which messages then name.
type Source interface {
	Len() int
	Inputs() []tensor.Spec
	Read(ctx context.Context, lo, hi int) (dataset.Rows, error)
}

// Options describe a run. Model, Samples, Modalities, Background, Output and
// Target must be set.
type Options struct {
	Model      model.Model
	Samples    Source
	Modalities []dataset.Modality
	Background *background.Rows
	// Coalitions lists the coalitions that are evaluated, the empty one first and
	// that of all modalities last; nil means all 2^M, of at most [game.MaxPlayers]
	// modalities. See [game.CheckCoalitions].
	Coalitions []game.Coalition
	// Stages is the model in parts, each of which is evaluated on the rows that are
	// distinct for it; nil pushes every row through the whole model. See [Stage].
	// The caller closes it, after the run.
	Stages *model.Stages
	// Output names the model's output, Width is the number of its columns.
	Output    string
	Width     int
	Transform Transform
	Target    Target
	// Labels maps a sample's label to its column; only a Label target needs it.
	Labels func(labels tensor.Tensor, row int) (int, error)
	// Classify returns the predicted class of an output row before the
	// transform; nil takes the column with the largest value, the lowest on ties. Of a
	// sample that lacks modalities it gets the mean over the background rows; nil takes
	// the column whose mean after the transform is the largest.
	Classify func(output []float64) int
	// Workers is the number of concurrent model calls; 0 means 1.
	Workers int
	// Memory bounds the bytes that tiles take; 0 means 2 GiB.
	Memory int64
	// Progress is told how many model rows are done, from one goroutine at a
	// time; it may be nil.
	Progress func(done, total int64)
}

// ErrMemory is wrapped by the error of a plan that takes more memory than it may.
var ErrMemory = errors.New("more than the memory limit")

// DefaultMemory is the memory limit of a run that sets none.
const DefaultMemory = 2 << 30

// A Plan is the rows of a run and the tiles that they are cut into.
type Plan struct {
	opt Options
	// m modalities, n samples, b background rows.
	m, n, b int
	// batchSize is the number of rows that the model insists on, 0 for any; wishBytes is
	// what its calls should have, 0 for no wish.
	batchSize, wishBytes int
	// batch is the number of rows of a call, tile that of samples; plainBatch is
	// that of a call of the whole model.
	batch, tile, plainBatch int
	// sharedBase is set when v({}) is the same for every sample.
	sharedBase bool
	// plainClass is set when a class is told by outputs before the transform, even by
	// their mean.
	plainClass bool
	// from and to bound the tiles of a run; to is 0 for all. See [Plan.Shard].
	from, to int
	inputs   []tensor.Spec
	// missing is set for inputs in which a NaN says that a value is missing: the mask
	// absent shows the model what the data show it.
	missing []bool
	// coalitions lists those that are evaluated; nil means all, where a coalition is
	// its own position.
	coalitions []game.Coalition
	copies     []rowCopy // by position of the coalition
	// blocks holds the background rows of each block, one block when nothing is
	// random; blockOf is the block of each row.
	blocks, blockOf []int
	// stage is the model in parts, nil for the plain way, patterns what each part
	// mixes, and cut how its rows are.
	stage    *staging
	patterns [][]game.Coalition
	cut      cut
}

// NewPlan plans a run.
func NewPlan(opt Options) (*Plan, error) {
	p, err := planOf(opt)
	if err != nil {
		return nil, err
	}
	if opt.Stages != nil {
		if err := p.planStages(); err != nil {
			return nil, err
		}
	}
	p.shape()
	if need := p.MemoryBytes(); need > p.opt.Memory {
		return nil, fmt.Errorf("engine: %d background rows and, for each of %d workers, %d coalitions of %d targets take %d KiB, %w of %d KiB; raise it, or use fewer rows, workers or targets",
			opt.Background.Drawn(), p.opt.Workers, p.width(), opt.Target.Len(), need>>10, ErrMemory, p.opt.Memory>>10)
	}
	return p, nil
}

// planOf checks options and lists the rows of a run.
func planOf(opt Options) (*Plan, error) {
	if opt.Workers < 1 {
		opt.Workers = 1
	}
	if opt.Memory == 0 {
		opt.Memory = DefaultMemory
	}
	plainClass := opt.Classify != nil
	if opt.Classify == nil {
		opt.Classify = argmax
	}
	p := &Plan{opt: opt, plainClass: plainClass, m: len(opt.Modalities), n: opt.Samples.Len(), b: opt.Background.Len()}
	switch {
	case p.m < 1 || p.m > game.MaxPartialPlayers:
		return nil, fmt.Errorf("engine: want 1 to %d modalities, got %d", game.MaxPartialPlayers, p.m)
	case p.m > game.MaxPlayers && opt.Coalitions == nil:
		return nil, fmt.Errorf("engine: all 2^%d coalitions are too many, want at most %d modalities; choose coalitions, or put modalities together", p.m, game.MaxPlayers)
	case p.n < 1:
		return nil, errors.New("engine: no samples")
	case opt.Target.Choice == Label && opt.Labels == nil:
		return nil, errors.New("engine: the target label needs labels")
	case opt.Target.Len() < 1:
		return nil, errors.New("engine: no target")
	case opt.Width < 1:
		return nil, fmt.Errorf("engine: want an output of at least one column, got %d", opt.Width)
	}
	if d, ok := opt.Model.(model.Described); ok {
		p.batchSize, p.wishBytes = d.Signature().BatchSize, d.Signature().CallBytes
	}
	var err error
	if p.coalitions, err = listed(p.m, opt.Coalitions); err != nil {
		return nil, err
	}
	p.inputs = opt.Samples.Inputs()
	for _, in := range opt.Background.Inputs() {
		p.missing = append(p.missing, hasNaN(in))
	}
	spans := ownedSpans(opt.Modalities, opt.Background.Inputs())
	for at := range p.width() {
		p.copies = append(p.copies, newRowCopy(p.coalition(at), spans))
	}
	// A fixed input is the sample's own even where nothing is shown, and near
	// rows are: then v({}) belongs to the sample.
	p.sharedBase = !opt.Background.PerSample() && len(p.copies[0].sample) == 0
	if p.blocks, p.blockOf = opt.Background.Blocks(), opt.Background.BlockOf(); len(p.blocks) == 0 {
		p.blocks, p.blockOf = []int{p.b}, make([]int, p.b)
	}
	return p, nil
}

// Rows of one model call, and of one tile, that were measured to be good for
// dense and convolutional models alike; more cost memory and gain nothing.
const (
	batchBytes    = 128 << 10
	minBatch      = 32
	maxBatch      = 256
	batchMultiple = 16 // of model calls that no backend needs to pad
	// A tile has few enough samples that every worker gets many, for balance,
	// within bounds on its rows.
	tilesPerRun   = 128
	minTileRows   = 1 << 12
	maxTileRows   = 1 << 15
	maxTile       = 256
	tilesInMemory = 64
	// tilesPerWorker is the number of tiles in flight for each worker.
	tilesPerWorker = 4
)

// callRowsOf returns the rows of a call of the whole model, given the bytes of one row.
func (p *Plan) callRowsOf(bytes int) int {
	call, most := batchBytes, maxBatch
	if p.wishBytes > 0 {
		call, most = p.wishBytes, max(minBatch, maxBatch*p.wishBytes/batchBytes)
	}
	return min(most, max(minBatch, call/bytes)) / batchMultiple * batchMultiple
}

// shape fixes the sizes of batches and tiles.
func (p *Plan) shape() {
	bytes := p.rowBytes()
	p.plainBatch = p.callRowsOf(bytes)
	if p.batchSize > 0 {
		p.plainBatch = p.batchSize * max(1, p.plainBatch/p.batchSize)
	}
	p.batch = p.plainBatch
	if p.stage != nil {
		p.shapeStages()
		return
	}
	each := max(1, p.rowsPerSample())
	p.tile = int(max(1, min(
		maxTile, int64(p.n),
		maxTileRows/each,
		p.opt.Memory/tilesInMemory/p.sampleBytes(bytes),
		max(minTileRows/each, int64(p.n+tilesPerRun-1)/tilesPerRun),
	)))
}

// rowsPerSample counts the rows of one sample's combinations.
func (p *Plan) rowsPerSample() int64 {
	return int64(p.combinations()) * int64(p.b)
}

// Modalities returns the number of modalities.
func (p *Plan) Modalities() int { return p.m }

// TileSamples returns the number of samples in each tile but the last.
func (p *Plan) TileSamples() int { return p.tile }

// Tiles returns the number of tiles.
func (p *Plan) Tiles() int { return (p.n + p.tile - 1) / p.tile }

// BatchRows returns the number of rows of a model call; of a plan in parts about
// that of a call that mixes samples and background.
func (p *Plan) BatchRows() int { return p.batch }

// sampleBytes estimates what a sample takes in a tile, given the bytes of its
// inputs: a sum and a value for each target, block and coalition.
func (p *Plan) sampleBytes(inputs int) int64 {
	return int64(inputs) + int64(p.opt.Target.Len())*int64(len(p.blocks)+1)*int64(p.width())*24
}

// MemoryBytes estimates the memory of background, tiles and batches in flight.
func (p *Plan) MemoryBytes() int64 {
	bytes := p.rowBytes()
	tile := int64(p.tile) * p.sampleBytes(bytes)
	shared, call := int64(p.opt.Background.Drawn()*bytes), int64(p.batch*bytes)
	if p.stage != nil {
		shared += p.backdropBytes()
		call = p.callBytes()
	}
	return int64(p.opt.Workers)*(tilesPerWorker*tile+call) + shared
}

// rowBytes returns the bytes of one row of all inputs, text counted without its
// letters.
func (p *Plan) rowBytes() int {
	bytes := 0
	for _, in := range p.opt.Background.Inputs() {
		bytes += int(rowBytes(in.DType(), in.RowLen()))
	}
	return max(1, bytes)
}

// rowBytes returns the bytes of elements of a type, text counted without its
// letters.
func rowBytes(d tensor.DType, elements int) int64 {
	const stringHeader = 16
	if d == tensor.String {
		return int64(elements) * stringHeader
	}
	return int64(elements) * int64(d.Size())
}

// hasNaN reports whether a value is missing: what is read from a file is finite else.
func hasNaN(t tensor.Tensor) bool {
	_, _, found := t.NonFinite()
	return found
}
