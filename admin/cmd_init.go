package admin

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"exante/storage"
)

func (s *shell) initCommand() *cli.Command {
	return s.command(spec{
		name: "init", usage: "make a data directory with an empty store",
		about: "The store gets an organization and its owner. `keys create` and `serve` make a\n" +
			"store too where there is none; init is for choosing the names.",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Usage: "call the organization `NAME`", Value: defaultOrg},
			&cli.StringFlag{Name: "owner-email", Usage: "make `EMAIL` its owner (default: a placeholder)"},
		},
		examples: "exante init --data-dir /var/lib/exante --name 'Blue Harbor' --owner-email o@example.com",
		codes:    []int{exitInvalid, exitInUse},
		run: func(ctx context.Context, c *cli.Context) error {
			return s.runInit(ctx, OrgRequest{Name: c.String("name"), OwnerEmail: c.String("owner-email")})
		},
	})
}

func (s *shell) runInit(ctx context.Context, in OrgRequest) error {
	dir := s.config.Storage.Dir
	if old, err := openStore(&s.config.Config, false, s.log); err == nil {
		return errors.Join(inDirectory(dir, errExistsHere), old.Close())
	} else if !errors.Is(err, storage.ErrNoStore) {
		return inDirectory(dir, err)
	}
	store, err := openStore(&s.config.Config, true, s.log)
	if err != nil {
		return inDirectory(dir, err)
	}
	org, err := NewDesk(store, s.config.Config, s.wire, nil).As(s.uid).CreateOrg(ctx, in)
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	s.tell("made a store in %s", dir)
	return s.printOrg(org)
}
