package admin

import (
	"context"
	"io"

	"github.com/urfave/cli/v2"

	"exante/admin/completion"
)

// completionShape is what `completion --json` prints.
type completionShape struct {
	Shell  string `json:"shell"`
	Script string `json:"script"`
}

func (s *shell) completionCommand(name, examples string, script func(completion.Command) string) *cli.Command {
	return s.command(spec{
		name: name, usage: "print the script for " + name, bare: true,
		about: "It completes commands, flags and the words that a flag may have, and never looks\n" +
			"into a store.",
		examples: examples,
		run: func(_ context.Context, _ *cli.Context) error {
			text := script(completionTree(s.app()))
			if s.json {
				return s.printJSON(completionShape{name, text})
			}
			_, err := io.WriteString(s.stdout, text)
			return err
		},
	})
}

func (s *shell) completionCommands() *cli.Command {
	return s.group("completion", "completion of command lines",
		s.completionCommand("bash", "source <(exante completion bash)\nexante completion bash > /usr/share/bash-completion/completions/exante", completion.Bash),
		s.completionCommand("zsh", "exante completion zsh > /usr/local/share/zsh/site-functions/_exante", completion.Zsh),
		s.completionCommand("fish", "exante completion fish > ~/.config/fish/completions/exante.fish", completion.Fish),
	)
}
