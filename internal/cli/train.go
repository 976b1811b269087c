package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/fusion"
	"github.com/intershap/intershap/result"
)

type trainOptions struct {
	narration
	folder, out string
	fusion      fusion.Fusion
	options     fusion.Options
	json, force bool
}

var (
	fusionNames = names(fusion.Fusions...)
	watchNames  = names(fusion.WatchLoss, fusion.WatchF1)
)

func newTrain(s *streams) *cobra.Command {
	var opt trainOptions
	o := &opt.options
	cmd := &cobra.Command{
		Use:   "train FOLDER --fusion F -o FILE [flags]",
		Short: "Train a fusion network and write it as an ONNX file",
		Long: `Train a fusion network on labelled samples and write it as an ONNX file, with an
input for each modality and the outputs logits and probabilities.

FOLDER has the files train, valid and test, each .npz, .parquet or .csv, with a
column label; the last two may be missing. Every other column but id is a
modality of floating-point numbers, columns modality.feature are one together.
Networks have three dense layers and join the modalities before, between or
after them; the defaults are those of the paper. Training takes one core.`,
		Example: `  intershap train data/ --fusion early -o early.onnx
  intershap train data/ --fusion late --standardise --patience 10 -o late.onnx`,
		Annotations: map[string]string{ExitCodesNote: "0 done, 1 failed, 2 wrong usage, 129 to 131 and 143 interrupted"},
		Args:        wantArgs("FOLDER"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		PreRunE: func(cmd *cobra.Command, args []string) error {
			opt.folder = args[0]
			_, err := readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runTrain(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	define(flags, &opt.fusion, "fusion", "", "F", "where modalities are joined: early, intermediate or late", readNamed(fusion.ParseFusion, fusionNames...))
	flags.StringVarP(&opt.out, "out", "o", "", "`FILE` for the network, .onnx")
	define(flags, &o.Epochs, "epochs", strconv.Itoa(fusion.DefaultEpochs), "N", "how often every sample is seen", readCount(1))
	define(flags, &o.LearningRate, "learning-rate", "1e-4", "X", "of Adam", readRate)
	define(flags, &o.WeightDecay, "weight-decay", "1e-4", "X", "that times the parameter is added to its gradient; 0: none", readDecay)
	define(flags, &o.Batch, "batch", strconv.Itoa(fusion.DefaultBatch), "N", "samples of a step", readCount(1))
	define(flags, &o.Seed, "seed", "1", "N", "of the initial weights and of the order of samples", readSeed)
	flags.BoolVar(&o.FrozenEncoders, "frozen-encoders", false,
		"leave the layers of single modalities at their initial weights, as the published networks do; early fusion has none")
	flags.BoolVar(&o.Standardise, "standardise", false, "have the network take mean and standard deviation of the training data from its inputs")
	define(flags, &o.Patience, "patience", "0", "N", "stop after N epochs without improvement on valid, and keep the best; 0: never", readCount(0))
	define(flags, &o.Watch, "watch", fusion.WatchLoss.String(), "W", "what --patience looks at: loss or f1", readNamed(fusion.ParseWatch, watchNames...))
	flags.BoolVar(&opt.json, "json", false, "print JSON")
	flags.BoolVar(&opt.force, "force", false, "overwrite a file that exists")
	addNarration(flags, &opt.narration)
	addProgress(flags, &opt.narration)
	addCompletions(cmd)
	for name, words := range map[string][]string{"fusion": fusionNames, "watch": watchNames} {
		if err := cmd.RegisterFlagCompletionFunc(name, completeWords(words...)); err != nil {
			panic(fmt.Sprintf("cli: completion of --%s: %v", name, err))
		}
	}
	return cmd
}

// readRate reads a positive number.
func readRate(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x > 0) || x-x != 0 {
		return 0, fmt.Errorf("want a number above 0, such as 1e-4, got %q", text)
	}
	return x, nil
}

// readDecay reads a weight decay, 0 for none.
func readDecay(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || !(x >= 0) || x-x != 0:
		return 0, fmt.Errorf("want a number of at least 0, such as 1e-4, got %q", text)
	case x == 0:
		return fusion.NoWeightDecay, nil
	}
	return x, nil
}

// check refuses what is wrong with the command line alone.
func (o *trainOptions) check() error {
	if o.fusion == 0 {
		fault := usagef("--fusion is missing")
		fault.hint = "want " + strings.Join(fusionNames, ", ")
		return fault
	}
	if !strings.EqualFold(filepath.Ext(o.out), ".onnx") {
		fault := usagef("--out %s: want a name that ends in .onnx", o.out)
		if o.out == "" {
			fault = usagef("--out is missing")
		}
		fault.hint = "for example -o " + o.fusion.String() + ".onnx"
		return fault
	}
	return checkWritable("out", o.out, o.force)
}

func runTrain(ctx context.Context, s *streams, opt *trainOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	report, err := opt.train(ctx, s)
	if err != nil {
		return err
	}
	if opt.json {
		return errors.Join(writeJSON(s, report), opt.warn(s, report.Warnings))
	}
	p := newPage(s, opt.color)
	writeTraining(p, report)
	return p.flush()
}

// train reads the data, trains, judges and writes the network.
func (o *trainOptions) train(ctx context.Context, s *streams) (*trainingReport, error) {
	tell := newTeller(s, o.narration)
	data, err := fusion.ReadFolder(ctx, o.folder)
	if err != nil {
		return nil, err
	}
	if o.options.Patience > 0 && data.Valid.Len() == 0 {
		return nil, &hintedError{
			err:  fmt.Errorf("--patience %d: %s has no file valid.npz, .parquet or .csv", o.options.Patience, o.folder),
			hint: "write some of the samples to such a file, or leave --patience out",
		}
	}
	tell.step("%s to train on, %s to validate, %s to test", count(int64(data.Train.Len()), "sample"),
		grouped(int64(data.Valid.Len())), grouped(int64(data.Test.Len())))
	opts := o.options
	opts.Classes = data.Classes
	bar := newTrainProgress(s, o.narration, opts.Epochs, data.Train.Len())
	opts.Progress = func(e fusion.Epoch) {
		bar.tell(e)
		tell.step("%s", epochSentence(e, opts.Epochs))
	}
	begun := s.now()
	network, err := fusion.Train(ctx, o.fusion, data.Train.Data, data.Valid.Data, opts)
	bar.finish()
	if errors.Is(err, fusion.ErrDiverged) {
		err = &hintedError{err: err, hint: "try --standardise, or --learning-rate " + strconv.FormatFloat(opts.LearningRate/10, 'g', 3, 64)}
	}
	if err != nil {
		return nil, err
	}
	report := reportTraining(o, network, data, bar.epochs)
	report.Seconds = s.now().Sub(begun).Seconds()
	if err := report.judge(ctx, network, data); err != nil {
		return nil, err
	}
	file := network.ONNX()
	sum := sha256.Sum256(file)
	report.Model.SHA256 = hex.EncodeToString(sum[:])
	return report, result.WriteFile(o.out, func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	})
}
