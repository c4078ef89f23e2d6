package admin

import (
	"strings"

	"github.com/urfave/cli/v2"

	"exante/admin/completion"
	"exante/admin/config"
	"exante/auth"
	"exante/storage"
	"exante/storage/billing"
)

// choices are the flags, of whatever command, whose value is one of some words.
// The flags of settings are not here: a setting knows its own words.
func choices() map[string]completion.Value {
	words := func(words ...string) completion.Value { return completion.Value{Words: words} }
	var scopes, statuses completion.Value
	for _, s := range auth.AllScopes() {
		scopes.Words = append(scopes.Words, s.String())
	}
	for _, s := range billing.Statuses() {
		statuses.Words = append(statuses.Words, s.String())
	}
	scopes.List, statuses.List = true, true
	return map[string]completion.Value{
		"scopes":      scopes,
		"finding":     words(findingWords()...),
		"status":      statuses,
		"role":        words(string(storage.Owner), string(storage.Admin), string(storage.Viewer)),
		"format":      words("ndjson", "csv"),
		"numbers":     words("keep", "new"),
		"environment": words(string(auth.Live), string(auth.Test)),
		"part":        words("unit", "config", "all"),
	}
}

// completionTree is the program as a shell completes it.
func completionTree(app *cli.App) completion.Command {
	known := choices()
	for _, row := range config.Settings() {
		known[row.FlagName()] = completion.Value{Words: row.Words()}
	}
	return completion.Command{Name: app.Name, About: app.Usage, Commands: completionCommands(app.Commands, known)}
}

func completionCommands(commands []*cli.Command, known map[string]completion.Value) []completion.Command {
	var out []completion.Command
	for _, c := range commands {
		node := completion.Command{
			Name: c.Name, About: c.Usage, Commands: completionCommands(c.Subcommands, known), Args: pathValue(c.ArgsUsage),
		}
		for _, f := range c.Flags {
			if doc, ok := f.(cli.DocGenerationFlag); ok {
				node.Flags = append(node.Flags, completionFlag(f.Names(), doc, known))
			}
		}
		out = append(out, node)
	}
	return out
}

func completionFlag(names []string, doc cli.DocGenerationFlag, known map[string]completion.Value) completion.Flag {
	value, about := valueName(doc.GetUsage())
	f := completion.Flag{Names: names, About: about, Switch: !doc.TakesValue(), Value: pathValue(value)}
	if v, ok := known[names[0]]; ok && len(v.Words) > 0 {
		f.Value = v
	}
	return f
}

// pathValue is what the name of a value says of it.
func pathValue(name string) completion.Value {
	switch name = strings.TrimSpace(name); {
	case strings.HasPrefix(name, "FILE"), name == "PATH":
		return completion.Value{Files: true}
	case name == "DIR":
		return completion.Value{Dirs: true}
	}
	return completion.Value{}
}
