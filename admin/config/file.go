package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/BurntSushi/toml"

	"exante/admin/suggest"
)

func (e *Effective) readFile(name string) error {
	explicit := name != ""
	if !explicit {
		name = "exante.toml"
	}
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !explicit:
		return nil
	case err != nil:
		return &Error{Key: "--config", Reason: err.Error()}
	}
	e.File = name
	var tables map[string]any
	meta, err := toml.Decode(string(text), &tables)
	if err != nil {
		return &Error{Key: name, Reason: err.Error()}
	}
	var problems error
	for _, key := range meta.Keys() {
		problems = errors.Join(problems, e.readKey(key, tables, name, text))
	}
	return problems
}

// readKey takes one key of the file, or refuses it.
func (e *Effective) readKey(key toml.Key, tables map[string]any, name string, text []byte) error {
	from := name
	if line := lineOf(text, key); line > 0 {
		from = fmt.Sprintf("%s:%d", name, line)
	}
	s, known := settingNamed(key.String())
	if !known {
		if table, ok := tables[key[0]].(map[string]any); len(key) == 1 && ok && table != nil && isSection(key[0]) {
			return nil
		}
		return &Error{Key: key.String(), From: from, Unknown: true, Near: suggest.Nearest(key.String(), settingKeys())}
	}
	literal, err := textOf(s.bind(&e.Config).form(), tables[key[0]].(map[string]any)[key[1]])
	if err != nil {
		return &Error{Key: s.Key(), From: from, Reason: err.Error()}
	}
	return e.set(s, literal, from)
}

// textOf is the text form of a TOML value, which must be of the setting's form:
// a number in quotes is a mistake and not a number.
func textOf(f form, v any) (string, error) {
	switch v := v.(type) {
	case string:
		if f == quoted {
			return v, nil
		}
	case bool:
		if f == truth {
			return fmt.Sprint(v), nil
		}
	case int64:
		if f == bare {
			return fmt.Sprint(v), nil
		}
	case []any:
		parts := make([]string, 0, len(v))
		for i, item := range v {
			s, ok := item.(string)
			if !ok || strings.Contains(s, ",") {
				return "", fmt.Errorf("must be %s: item %d is not", f, i+1)
			}
			parts = append(parts, s)
		}
		if f == list {
			return strings.Join(parts, ","), nil
		}
	}
	return "", fmt.Errorf("must be %s", f)
}

// lineOf finds the line of a key that is written in the usual way, under its
// [section]; 0 if it is written in another.
func lineOf(text []byte, key toml.Key) int {
	section, n := "", 0
	for line := range bytes.Lines(text) {
		n++
		s := strings.TrimSpace(string(line))
		if inner, ok := strings.CutPrefix(s, "["); ok {
			section, _, _ = strings.Cut(inner, "]")
			if len(key) == 1 && section == key[0] {
				return n
			}
			continue
		}
		name, _, ok := strings.Cut(s, "=")
		if name = strings.TrimSpace(name); ok && strings.Trim(section+"."+name, ".") == key.String() {
			return n
		}
	}
	return 0
}
