package config

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"exante/auth"
	"exante/storage/input"
)

// DeclaredKey is an API key that must be there, one item of bootstrap.keys:
// words WHAT=VALUE separated by spaces, and what is a list elsewhere joined by +,
// since neither the items of a setting nor a name here may have a comma.
//
//	name=zapier scopes=invoices:read+parties:read expires_in_days=90 secret_file=/run/secrets/zapier
//
// name, scopes and secret_file are needed. The secret itself is never part of it.
type DeclaredKey struct {
	Name          string // what the key is known by in its organization
	Scopes        auth.Scopes
	Networks      []netip.Prefix // allowed_cidrs; nil: from anywhere
	Limits        auth.Limits    // rate_limit; nil: as rate_limit.windows has it
	ExpiresInDays int            // from its creation; 0: as auth.default_expiry_days has it
	SecretFile    string
}

// maxDeclared bounds what a start may cost: each key is hashed when it is made.
const maxDeclared = 100

// declaredWord reads the value of one word.
type declaredWord struct {
	name   string
	needed bool
	set    func(*DeclaredKey, string) error
}

var declaredWords = []declaredWord{
	{"name", true, func(k *DeclaredKey, s string) error {
		if k.Name = s; !keyName.MatchString(s) {
			return errors.New("is not 1 to 64 letters, digits, dots, dashes or underscores")
		}
		return nil
	}},
	{"scopes", true, func(k *DeclaredKey, s string) (err error) {
		k.Scopes, err = auth.ParseScopes(strings.Split(s, "+"))
		return err
	}},
	{"allowed_cidrs", false, func(k *DeclaredKey, s string) (err error) {
		k.Networks, err = auth.ParseNetworks(strings.Split(s, "+"))
		return err
	}},
	{"rate_limit", false, func(k *DeclaredKey, s string) (err error) {
		k.Limits, err = auth.ParseLimits(strings.ReplaceAll(s, "+", ","))
		return err
	}},
	{"expires_in_days", false, func(k *DeclaredKey, s string) (err error) {
		if k.ExpiresInDays, err = strconv.Atoi(s); err != nil || k.ExpiresInDays < 1 || k.ExpiresInDays > 3650 {
			return fmt.Errorf("%q is not a whole number from 1 to 3650", s)
		}
		return nil
	}},
	{"secret_file", true, func(k *DeclaredKey, s string) (err error) {
		k.SecretFile, err = parsePath(s)
		return err
	}},
}

var keyName = regexp.MustCompile(`^[0-9A-Za-z._-]{1,64}$`)

// String is the declaration as it is written.
func (k DeclaredKey) String() string {
	words := []string{"name=" + k.Name, "scopes=" + strings.Join(k.Scopes.Names(), "+")}
	if len(k.Networks) > 0 {
		words = append(words, "allowed_cidrs="+strings.ReplaceAll(strings.Trim(fmt.Sprint(k.Networks), "[]"), " ", "+"))
	}
	if len(k.Limits) > 0 {
		words = append(words, "rate_limit="+strings.ReplaceAll(k.Limits.String(), ",", "+"))
	}
	if k.ExpiresInDays > 0 {
		words = append(words, "expires_in_days="+strconv.Itoa(k.ExpiresInDays))
	}
	return strings.Join(append(words, "secret_file="+k.SecretFile), " ")
}

func showDeclaredKeys(keys []DeclaredKey) string {
	items := make([]string, len(keys))
	for i, k := range keys {
		items[i] = k.String()
	}
	return joined(items)
}

func parseDeclaredKeys(s string) ([]DeclaredKey, error) {
	items := split(s)
	if len(items) > maxDeclared {
		return nil, fmt.Errorf("declares %d keys, at most %d are possible", len(items), maxDeclared)
	}
	var keys []DeclaredKey
	for i, item := range items {
		k, err := parseDeclaredKey(item)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		for _, other := range keys {
			switch {
			case other.Name == k.Name:
				return nil, fmt.Errorf("item %d: another item has name=%s", i+1, k.Name)
			case other.SecretFile == k.SecretFile:
				return nil, fmt.Errorf("item %d: another item has secret_file=%s: each key needs a secret of its own", i+1, k.SecretFile)
			}
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// parseDeclaredKey repeats no value of a word that it does not know: it may be a
// secret that was put in the wrong place.
func parseDeclaredKey(item string) (DeclaredKey, error) {
	var k DeclaredKey
	seen := map[string]bool{}
	for n, word := range strings.Fields(item) {
		name, text, ok := strings.Cut(word, "=")
		if !ok {
			return k, fmt.Errorf("word %d is not WHAT=VALUE; a value has no spaces", n+1)
		}
		i := slices.IndexFunc(declaredWords, func(w declaredWord) bool { return w.name == name })
		switch {
		case i < 0:
			return k, fmt.Errorf("word %d is none of %s", n+1, declaredNames())
		case seen[name]:
			return k, fmt.Errorf("%s is given twice", name)
		}
		seen[name] = true
		if err := declaredWords[i].set(&k, text); err != nil {
			return k, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, w := range declaredWords {
		if w.needed && !seen[w.name] {
			return k, missingWord(w.name)
		}
	}
	return k, nil
}

func missingWord(name string) error {
	hint := map[string]string{
		"scopes":      "; scopes=* is full access",
		"secret_file": ": the secret stands in a file alone, made by: exante keys mint --output PATH",
	}[name]
	return fmt.Errorf("%s is missing%s", name, hint)
}

func declaredNames() string {
	names := make([]string, len(declaredWords))
	for i, w := range declaredWords {
		names[i] = w.name
	}
	return strings.Join(names, ", ")
}

// validateKeys holds each declared key to the bound of a key's life.
func (e *Effective) validateKeys() error {
	_, most := e.Expiry()
	for i, k := range e.Bootstrap.Keys {
		if most > 0 && k.ExpiresInDays > most {
			return &Error{Key: "bootstrap.keys", From: e.Source("bootstrap.keys"), Reason: fmt.Sprintf(
				"item %d: expires_in_days: %d is above auth.max_expiry_days, %d", i+1, k.ExpiresInDays, most)}
		}
	}
	return nil
}

func parseOrganization(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	return reasoned(input.Text(s, 1, 200))
}

func parseEmail(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	return reasoned(input.Email(s))
}

func reasoned(clean, reason string) (string, error) {
	if reason != "" {
		return "", errors.New(reason)
	}
	return clean, nil
}
