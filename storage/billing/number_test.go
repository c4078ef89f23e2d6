package billing_test

import (
	"testing"

	"pgregory.net/rapid"

	"exante/storage/billing"
)

func TestPatternKnowsItsOwnNumbers(t *testing.T) {
	patterns := []string{billing.DefaultNumberPattern, "{SEQ}", "{SEQ:3}/{YYYY}", "{YYYY}{SEQ}", "1{SEQ:2}2", "É{YYYY}-{SEQ}x"}
	rapid.Check(t, func(t *rapid.T) {
		p, err := billing.ParseNumberPattern(rapid.SampledFrom(patterns).Draw(t, "pattern"))
		if err != nil {
			t.Fatal(err)
		}
		number := p.Number(rapid.IntRange(1, 9999).Draw(t, "year"), rapid.Uint64Range(1, 1e12).Draw(t, "place"))
		if !p.Matches(number) {
			t.Fatalf("%+v does not know its own %q", p, number)
		}
		if p.Matches(number+"y") || p.Matches("y"+number) {
			t.Fatalf("%+v takes more than %q", p, number)
		}
	})
}

func FuzzNumberPattern(f *testing.F) {
	f.Add(billing.DefaultNumberPattern, "INV-2026-000001")
	f.Add("{SEQ:2}{YYYY}", "2026")
	f.Fuzz(func(t *testing.T, pattern, number string) {
		p, err := billing.ParseNumberPattern(pattern)
		if err != nil {
			return
		}
		p.Matches(number)
		if own := p.Number(2026, 7); !p.Matches(own) {
			t.Fatalf("%q does not know its own %q", pattern, own)
		}
	})
}
