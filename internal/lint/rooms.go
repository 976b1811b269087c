package lint

// A Room says what one package of the module may import. The standard library
// is open to all.
type Room struct {
	// Above lists the rooms that this one stands on. It may import them and
	// whatever they may import: imports go down, any number of floors.
	Above []string
	// Modules lists the modules of other people that this room may import, by
	// the start of their path. A dependency that has one room can be replaced
	// in one room.
	Modules []string
	// Core rooms import the standard library and core rooms alone, so that the
	// mathematics builds everywhere, without C and without downloads.
	Core bool
	// Starts says that this room may start programs: children that are models, and
	// the go command that fetches a library.
	Starts bool
}

// Everywhere lists the rooms that all may import and that import no other
// room. Core rooms may import those of them that are core.
var Everywhere = []string{"diag", "tensor"}

// Rooms is the map of the module: the folder of every package, "." for the
// root, and what it may import. Rooms that are planned stand here before they
// are built.
var Rooms = map[string]Room{
	"diag":   {Core: true},
	"tensor": {},

	// The mathematics knows no models.
	"game":          {Core: true},
	"game/gametest": {Core: true, Above: []string{"game"}},
	"index":         {Core: true, Above: []string{"game"}},
	"approx":        {Above: []string{"index"}, Modules: []string{gonum}},
	"score":         {Core: true, Above: []string{"index"}},

	// How well predictions agree with labels.
	"metric": {Core: true},

	// Samples, and what an absent modality looks like.
	"dataset":    {Modules: []string{arrow}},
	"background": {Above: []string{"dataset"}},

	// Rows in, outputs out.
	"model":                {},
	"model/modeltest":      {Above: []string{"model"}},
	"model/onnx":           {Above: []string{"model", "model/onnx/graph"}, Modules: []string{onnxRuntime, onnxLibraries, protobuf}, Starts: true},
	"model/encoders":       {Above: []string{"model/onnx"}, Modules: []string{yaml}},
	"model/onnx/graph":     {Above: []string{"model", "model/onnx/onnxpb"}, Modules: []string{protobuf}},
	"model/onnx/onnxpb":    {Modules: []string{protobuf}},
	"model/onnx/graphtest": {Above: []string{"model/onnx/onnxpb"}, Modules: []string{protobuf}},
	"model/process":        {Above: []string{"model", "dataset"}, Starts: true},
	"model/serving":        {Above: []string{"model", "model/serving/oip"}, Modules: []string{grpc, protobuf, backoff}},
	"model/serving/oip":    {Above: []string{"model", "model/serving/oippb"}},
	"model/serving/oippb":  {Modules: []string{protobuf}},
	"model/serving/server": {Above: []string{"model", "model/serving/oip"}, Modules: []string{grpc}},

	// Everything expensive happens in one place.
	"engine":            {Above: []string{"game", "model", "background", "dataset", "internal/share"}},
	"engine/checkpoint": {Above: []string{"engine"}},
	"result":            {Above: []string{"score", "dataset"}, Modules: []string{arrow}},

	// What is made from a result.
	"plot":       {Above: []string{"result", "plot/scene", "internal/wording"}},
	"plot/scene": {Modules: []string{gonumPlot, liberation, fpdf, xImage}},
	"export":     {Above: []string{"result"}},
	"report":     {Above: []string{"result", "internal/wording"}},
	"compare":    {Above: []string{"result", "internal/share"}, Modules: []string{gonum}},
	"rival":      {Above: []string{"result", "engine", "metric"}, Modules: []string{gonum}},

	// Data with known answers, and networks of our own.
	"synth":  {Above: []string{"dataset", "model/onnx/onnxpb"}, Modules: []string{arrow, protobuf}},
	"fusion": {Above: []string{"synth", "model/onnx", "metric"}, Modules: []string{gonum, protobuf}},

	".":     {Above: []string{"approx", "engine", "engine/checkpoint", "result", "plot", "report", "rival"}, Modules: []string{gonum}},
	"demo":  {Above: []string{"."}},
	"paper": {Above: []string{".", "synth", "fusion"}, Modules: []string{gonum}},

	// The command line stands on everything and nothing stands on it but main.
	"internal/cli": {
		Above:   []string{".", "compare", "export", "demo", "paper", "synth", "fusion", "model/onnx", "model/encoders", "model/process", "model/serving", "model/serving/server"},
		Modules: []string{"github.com/spf13/", "golang.org/x/term"},
	},
	"cmd/intershap": {Above: []string{commandLine}},
	"internal/man":  {Above: []string{commandLine}, Modules: []string{"github.com/spf13/"}},

	"internal/share":   {Core: true},
	"internal/wording": {Above: []string{"result"}},
	"internal/lint":    {},

	// Tests alone.
	"examples/triage": {},
}

const (
	commandLine = "internal/cli"

	arrow         = "github.com/apache/arrow-go/"
	gonum         = "gonum.org/v1/gonum/"
	gonumPlot     = "gonum.org/v1/plot/"
	liberation    = "codeberg.org/go-fonts/liberation/"
	fpdf          = "codeberg.org/go-pdf/fpdf"
	xImage        = "golang.org/x/image/"
	grpc          = "google.golang.org/grpc"
	backoff       = "github.com/cenkalti/backoff/v5"
	protobuf      = "google.golang.org/protobuf/"
	yaml          = "go.yaml.in/yaml/v3"
	onnxRuntime   = "github.com/yalue/onnxruntime_go"
	onnxLibraries = "github.com/k2-fsa/sherpa-onnx-go-"
)
