package admin

import (
	"context"
	"slices"
	"strings"

	"exante/auth"
	"exante/storage/input"
)

// What deserves a second look at a key: the words and the rules are those of package
// auth, and the same that the dashboard has.

// KeysRequest selects API keys.
type KeysRequest struct {
	Org     string `json:"org"`     // "": of every organization
	Finding string `json:"finding"` // a word of auth.FindingKind, or "any"; "": whatever is found
}

// JudgedKey is a key with what is found about it; nothing about one that has ended.
type JudgedKey struct {
	APIKey
	Findings []KeyFinding `json:"findings"`
}

// KeyFinding is a reason to look after a key. The scopes are null unless it is
// too_broad: what the key may do and never did, and what would have done for it, which
// is none if it needed no scope.
type KeyFinding struct {
	Kind           string   `json:"kind"`
	UnusedScopes   []string `json:"unused_scopes"`
	NarrowerScopes []string `json:"narrower_scopes"`
}

// findingAny selects the keys of which anything is found.
const findingAny = "any"

// findingWords are what keys can be selected by.
func findingWords() []string {
	var words []string
	for _, kind := range auth.FindingKinds() {
		words = append(words, string(kind))
	}
	return append(words, findingAny)
}

func (in KeysRequest) check() error {
	if words := findingWords(); in.Finding != "" && !slices.Contains(words, in.Finding) {
		return input.Invalid("finding", "must be one of "+strings.Join(words, ", "))
	}
	return nil
}

// selects reports whether a key is wanted of which this is found.
func (in KeysRequest) selects(found []KeyFinding) bool {
	switch in.Finding {
	case "":
		return true
	case findingAny:
		return len(found) > 0
	}
	return slices.ContainsFunc(found, func(f KeyFinding) bool { return f.Kind == in.Finding })
}

// APIKeys implements Ops.
func (l Local) APIKeys(ctx context.Context, in KeysRequest) ([]JudgedKey, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	orgs, err := l.orgs(ctx, in.Org)
	if err != nil {
		return nil, err
	}
	now := l.now()
	shapes := []JudgedKey{}
	for _, org := range orgs {
		for k := range l.store.Keyring().Standings(org, now) {
			found := keyFindings(auth.Hygiene(k.Key, k.Last, now))
			if in.selects(found) {
				shapes = append(shapes, JudgedKey{keyShape(k.Key, l.limitsOf(k.Key), k.Last.At, now), found})
			}
		}
	}
	return shapes, nil
}

func keyFindings(found []auth.Finding) []KeyFinding {
	shapes := make([]KeyFinding, len(found))
	for i, f := range found {
		shapes[i].Kind = string(f.Kind)
		if f.Kind == auth.TooBroad {
			shapes[i].UnusedScopes, shapes[i].NarrowerScopes = f.Unused.Names(), f.Narrower.Names()
		}
	}
	return shapes
}

// kinds are the words of what is found about a key.
func (k JudgedKey) kinds() []string {
	words := make([]string, len(k.Findings))
	for i, f := range k.Findings {
		words[i] = f.Kind
	}
	return words
}
