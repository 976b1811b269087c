package cli

import (
	"github.com/spf13/cobra"
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
