package input_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"exante/storage/input"
)

func TestOneAnswerNamesAllThatIsWrong(t *testing.T) {
	var refused input.Refusals
	if err := refused.Err(); err != nil {
		t.Errorf("nothing was refused, and it says %v", err)
	}
	if name := refused.Text("name", " Acme ", 1, 10); name != "Acme" || refused.Err() != nil {
		t.Errorf("the name is %q, %v", name, refused.Err())
	}
	refused.Text("name", "", 1, 10)
	refused.Lines("address", "a\n\x00", 10)
	refused.Email("email", "abc")
	refused.Add("role", "is not known")
	err := refused.Err()
	want := "invalid: [name: must have 1 to 10 characters address: has a character that does not print (U+0000) " +
		"email: must be an e-mail address of at most 254 bytes role: is not known]"
	if !errors.Is(err, input.ErrInvalid) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var invalid *input.InvalidError
	if !errors.As(input.Invalid("tax_cents", "is odd"), &invalid) || !slices.Equal(invalid.Problems, []input.Problem{{Path: "tax_cents", Reason: "is odd"}}) {
		t.Errorf("got %v", invalid)
	}
}

func TestLinesAreCleanOneByOneAndShortInAll(t *testing.T) {
	for _, c := range []struct{ in, want, reason string }{
		{" a \r\n  b\n\n", "a\nb", ""},
		{"", "", ""},
		{"12345\n7890", "12345\n7890", ""},
		{"12345\n78901", "", "must have 0 to 10 characters"},
		{"a\u2028b", "", "has a character that does not print (U+2028)"},
	} {
		if got, reason := input.Lines(c.in, 10); got != c.want || reason != c.reason {
			t.Errorf("Lines(%q) = %q, %q, want %q, %q", c.in, got, reason, c.want, c.reason)
		}
	}
}

func TestEmailIsKeptInLowerCase(t *testing.T) {
	for in, want := range map[string]string{
		" Ann@Example.COM": "ann@example.com", "a@b": "a@b",
		"abc": "", "@b.c": "", "a@b@c": "", "a b@c.d": "", strings.Repeat("a", 250) + "@b.cd": "", "a@\u2028b": "",
	} {
		if got, reason := input.Email(in); got != want || (reason == "") != (want != "") {
			t.Errorf("Email(%q) = %q, %q, want %q", in, got, reason, want)
		}
	}
}

func TestFoldJoinsWhatReadsTheSame(t *testing.T) {
	for a, b := range map[string]string{"STRASSE": "straße", "Cafe\u0301": "CAFÉ", "ΣΑΣ": "σας"} {
		if input.Fold(a) != input.Fold(b) {
			t.Errorf("Fold(%q) = %q, Fold(%q) = %q", a, input.Fold(a), b, input.Fold(b))
		}
	}
}
