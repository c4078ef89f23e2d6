package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/urfave/cli/v2"

	"exante/admin/config"
)

// Main runs one command line, args[0] being the program, and returns its exit
// code. Data goes to stdout, all other talk to stderr. serve is what the serve
// command calls once its configuration is good; wire reads and writes invoices.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, serve ServeFunc, wire Wire) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	s := &shell{
		stdin: stdin, stdout: stdout, stderr: stderr, environ: os.Environ(), serve: serve, wire: wire, uid: os.Getuid(),
	}
	err := s.run(ctx, args)
	if wantsJSON(args) {
		return reportJSON(stderr, err)
	}
	return report(stderr, err)
}

// wantsJSON reports whether a command line asks for JSON, be it right or wrong.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "-json", "--json=true":
			return true
		}
	}
	return false
}

// shell is one command line: what a command may read, write and know.
type shell struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	serve          ServeFunc
	wire           Wire
	uid            int // who runs it, in the audit log

	input  io.Reader // standard input, until the command is interrupted
	json   bool
	config *config.Effective // of the command; filled before it runs
	log    *slog.Logger
}

func (s *shell) run(ctx context.Context, args []string) error {
	app := s.app()
	arranged, err := arrange(app, args)
	if len(args) < 2 && !wantsJSON(args) { // who does not know a command wants to see them all
		app.Writer = s.stderr
		return errors.Join(app.RunContext(ctx, []string{"exante", "--help"}), err)
	}
	if err != nil {
		return err
	}
	return app.RunContext(ctx, arranged)
}

func (s *shell) app() *cli.App {
	return &cli.App{
		Name:      "exante",
		Usage:     "invoices behind API keys, in one binary",
		UsageText: "exante COMMAND [flags] [arguments]\n   exante COMMAND --help",
		Writer:    s.stdout, ErrWriter: s.stderr,
		Commands: []*cli.Command{
			s.serveCommand(), s.initCommand(),
			s.group("keys", "API keys", s.keysCreate(), s.keysList(), s.keysShow(), s.keysSet(), s.keysRevoke(), s.keysRotate(), s.keysIdentify(), s.keysMint()),
			s.group("orgs", "organizations", s.orgsCreate(), s.orgsList(), s.orgsSet()),
			s.group("users", "users of an organization", s.usersCreate(), s.usersList(), s.usersDisable(), s.usersEnable(), s.usersRole(), s.usersPassword()),
			s.group("sessions", "browsers that users have signed in", s.sessionsList(), s.sessionsEnd()),
			s.group("invoices", "invoices, one or many at once", s.invoicesShow(), s.invoicesSend(), s.invoicesVoid(), s.invoicesPay(), s.invoicesImport(), s.invoicesExport()),
			s.group("audit", "who did what", s.auditList(), s.auditVerify()),
			s.statusCommand(), s.healthcheckCommand(), s.verifyCommand(), s.backupCommand(), s.restoreCommand(), s.compactCommand(),
			s.group("service", "an installed server", s.servicePrint()),
			s.group("config", "the configuration", s.configShow(), s.configCheck()),
			s.completionCommands(),
			s.versionCommand(),
		},
		CustomAppHelpTemplate: appHelp,
		HideHelpCommand:       true, HideVersion: true,
		ExitErrHandler: func(*cli.Context, error) {}, // report alone decides exit codes
	}
}

func (s *shell) group(name, usage string, commands ...*cli.Command) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, Subcommands: commands,
		CustomHelpTemplate: groupHelp, HideHelpCommand: true,
	}
}

// spec is a command as its file describes it.
type spec struct {
	name, usage string
	args        []string // names of the arguments that are needed
	optional    string   // "" or the name of one more that may follow
	flags       []cli.Flag
	needs       []string // names of flags that must be given
	about       string   // "" or a paragraph of the help
	examples    string
	bare        bool  // needs no configuration, so none is loaded
	codes       []int // exit codes beyond done, failed and usage
	run         func(context.Context, *cli.Context) error
}

// command turns a spec into a command: the flags that all have, the flags and
// the arguments that it needs or takes, its configuration loaded before it runs.
func (s *shell) command(sp spec) *cli.Command {
	flags := append(sp.flags, s.commonFlags(sp.flags)...)
	c := &cli.Command{
		Name: sp.name, Usage: sp.usage, Flags: flags, CustomHelpTemplate: commandHelp(sp, flags), HideHelpCommand: true,
	}
	for _, a := range sp.args {
		c.ArgsUsage += " " + a
	}
	most := len(sp.args)
	if sp.optional != "" {
		c.ArgsUsage += " [" + sp.optional + "]"
		most++
	}
	c.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return usagef("", "%v", err) }
	c.Action = func(cc *cli.Context) error {
		help := "see: " + cc.Command.HelpName + " --help"
		if n := cc.NArg(); n < len(sp.args) {
			return usagef(help, "%s is missing", sp.args[n])
		} else if n > most {
			return usagef(help, "surplus argument %q", cc.Args().Get(most))
		}
		for _, name := range sp.needs {
			if !cc.IsSet(name) {
				return usagef(help, "flag --%s is missing", name)
			}
		}
		if name := emptyFlag(cc); name != "" {
			return usagef(help, "flag --%s has an empty value", name)
		}
		s.json, s.input = cc.Bool("json"), newInterruptible(cc.Context, s.stdin)
		if !sp.bare {
			if err := s.configure(cc); err != nil {
				return err
			}
		}
		return sp.run(cc.Context, cc)
	}
	return c
}

// emptyFlag is a flag that was given as "": in a script that is a variable
// nobody set, and must not mean "the default". Settings may be empty.
func emptyFlag(cc *cli.Context) string {
	for _, name := range cc.LocalFlagNames() {
		isSetting := slices.ContainsFunc(config.Settings(), func(s config.Setting) bool { return s.FlagName() == name })
		if cc.String(name) == "" && !isSetting {
			return name
		}
	}
	return ""
}

// configure loads the configuration that the command's flags lead to.
func (s *shell) configure(cc *cli.Context) error {
	flags := map[string]string{}
	for _, row := range config.Settings() {
		if cc.IsSet(row.FlagName()) {
			flags[row.Key()] = cc.String(row.FlagName())
		}
	}
	src := config.Sources{File: cc.String("config"), Environ: s.environ, Flags: flags}
	if dir := cc.String("data-dir"); cc.IsSet("data-dir") {
		src.DataDir = &dir
	}
	var err error
	if s.config, err = config.Load(src); err != nil {
		return err
	}
	s.log = newLog(s.stderr, max(s.config.Log.Level, slog.LevelWarn), s.config.Log.Format)
	return nil
}

// commonFlags are the flags of every command, but for those that it has itself in a
// meaning of its own.
func (s *shell) commonFlags(own []cli.Flag) []cli.Flag {
	common := []cli.Flag{
		&cli.StringFlag{Name: "data-dir", Usage: "work on data directory `DIR` (default: setting storage.dir)"},
		&cli.StringFlag{Name: "config", Usage: "read settings from `FILE` (default: exante.toml if it exists)"},
		&cli.BoolFlag{Name: "json", Usage: "print JSON", DisableDefaultText: true},
	}
	return slices.DeleteFunc(common, func(c cli.Flag) bool {
		return slices.ContainsFunc(own, func(o cli.Flag) bool { return slices.Contains(o.Names(), c.Names()[0]) })
	})
}

func newLog(w io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
