package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/model/onnx"
)

// shells are those that completions are written for.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletion(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "completion { bash | zsh | fish | powershell }",
		Short: "Write the completion script of a shell",
		Long: `Write the completion script of a shell to standard output.

The shell reads it at its start, from a file or at once.`,
		Example: `  source <(intershap completion bash)
  intershap completion fish > ~/.config/fish/completions/intershap.fish`,
		Annotations: map[string]string{ExitCodesNote: "0 done, 2 no such shell"},
		ValidArgs:   shells,
		Args:        wantArgs("SHELL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			const withDescriptions = true
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(s.out, withDescriptions)
			case "zsh":
				return root.GenZshCompletion(s.out)
			case "fish":
				return root.GenFishCompletion(s.out, withDescriptions)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(s.out)
			}
			unknown := &wordError{got: args[0], valid: shells}
			return &usageError{command: cmd.CommandPath(), err: unknown, hint: unknown.hint()}
		},
	}
}

// completeQuestion proposes files for MODEL and DATA.
func completeQuestion(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return []string{"onnx", "yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return dataExtensions, cobra.ShellCompDirectiveFilterFileExt
}

// dataExtensions are those of the files that data come in.
var dataExtensions = []string{"npz", "parquet", "csv"}

// completions are what flags propose, by name. A word that ends in a
// colon or an equals sign wants more behind it.
var completions = map[string]cobra.CompletionFunc{
	"background": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return dataExtensions, cobra.ShellCompDirectiveFilterFileExt
	},
	"by":         completeBy,
	"cluster":    completeColumn,
	"color":      completeWords(colorAuto, colorAlways, colorNever),
	"convention": completeWords(conventionNames...),
	"device":     completeWords(onnx.CPU, onnx.CUDA),
	"mask":       completeMask,
	"missing":    completeMissing,
	"output":     completeOutput,
	"pad":        completePad,
	"plan":       completeWords(planNames...),
	"progress":   completeWords(progressAuto, progressPlain, progressJSON, progressNone),
	"target":     completeWords(targetPredicted, targetLabel, targetAll, targetClass, targetHorizon),
	"task":       completeWords(taskNames...),
	"transform":  completeWords(transformNames...),
	"weight":     completeColumn,
}

// addCompletions gives the flags of a command what they propose.
func addCompletions(cmd *cobra.Command) {
	for name, complete := range completions {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(fmt.Sprintf("cli: completion of --%s: %v", name, err))
		}
	}
}

// completeWords proposes the words that begin with what is typed.
func completeWords(words ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		directive := cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		var fit []string
		for _, w := range words {
			if strings.HasPrefix(w, typed) {
				fit = append(fit, w)
			}
		}
		if len(fit) == 1 && (strings.HasSuffix(fit[0], ":") || strings.HasSuffix(fit[0], "=")) {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return fit, directive
	}
}

// completeMask proposes rules, that of samples which lack modalities only where they may.
func completeMask(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	rules := maskRules
	if cmd.Flags().Lookup("missing") == nil {
		rules = slices.DeleteFunc(slices.Clone(rules), func(rule string) bool { return rule == absentRule })
	}
	return completeWords(rules...)(cmd, args, typed)
}

// maxCompleted is the largest model that is opened for a completion: a person
// waits for it at the keyboard.
const maxCompleted = 64 << 20

// completeOutput proposes the outputs of MODEL. What keeps it from opening the
// model will be told when the command runs.
func completeOutput(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	info, err := os.Stat(args[0])
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxCompleted {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	library, err := cmd.Flags().GetString(libraryFlag)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	m, err := openModelFile(args[0], onnx.Options{Library: library})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer m.Close() // nothing was computed
	var outputs []string
	for _, out := range signatureOf(m).Outputs {
		outputs = append(outputs, out.Name)
	}
	slices.Sort(outputs)
	return completeWords(outputs...)(cmd, args, typed)
}
