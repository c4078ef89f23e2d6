package admin

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"exante/auth"
)

func (s *shell) keysMint() *cli.Command {
	return s.command(spec{
		name: "mint", usage: "make a secret for a key that is declared in [bootstrap] keys",
		about: "No store knows the secret until serve makes the key that is declared with it, so\n" +
			"it can be made beforehand and handed to several servers. It goes to a new file\n" +
			"that only you can read, or to standard output. A declaration is words that are\n" +
			"separated by spaces, with + where other lists have commas:\n" +
			"   name=N            letters, digits, dots, dashes, underscores (needed)\n" +
			"   scopes=A+B        or * (needed)\n" +
			"   secret_file=PATH  what this command wrote (needed)\n" +
			"   expires_in_days=D from its creation   rate_limit=N/D+N/D   allowed_cidrs=N+N",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "environment", Usage: "for an instance that is `live|test` (default: setting auth.environment)"},
			&cli.StringFlag{Name: "output", Usage: "write it to the new `FILE`, mode 0600"},
		},
		examples: "exante keys mint --environment test\nexante keys mint --output /etc/exante/zapier.key\n" +
			"exante serve --bootstrap-keys 'name=zapier scopes=* secret_file=/etc/exante/zapier.key'",
		run: func(_ context.Context, c *cli.Context) error {
			return s.runKeysMint(c.String("environment"), c.String("output"))
		},
	})
}

func (s *shell) runKeysMint(environment, output string) error {
	env := s.config.Auth.Environment
	if environment != "" {
		env = auth.Environment(environment)
	}
	if !env.Valid() {
		return usagef("", "flag --environment: %q is none of live, test", environment)
	}
	token, err := auth.Mint(env, nil)
	if err != nil {
		return err
	}
	if output != "" {
		if err := writeSecret(output, token.Reveal()); err != nil {
			return err
		}
		s.tell("wrote the secret of %s to %s", token.Snippet(), output)
	}
	if s.json {
		return s.printJSON(mintedShape(token, output))
	}
	if output != "" {
		return nil
	}
	_, err = fmt.Fprintln(s.stdout, token.Reveal())
	return err
}

// minted is a secret that was made for a declaration.
type minted struct {
	Key        *secret `json:"key"` // null: it is in File alone
	KeySnippet string  `json:"key_snippet"`
	File       *string `json:"file"`
}

func mintedShape(token auth.Token, file string) minted {
	if file != "" {
		return minted{nil, token.Snippet(), &file}
	}
	return minted{&secret{token.Reveal()}, token.Snippet(), nil}
}

// writeSecret makes path, which must not be there, for this user alone. A secret
// that could not be written whole leaves no file.
func writeSecret(path, text string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.WriteString(text + "\n"); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("%w; %v", err, os.Remove(path))
	}
	return nil
}
