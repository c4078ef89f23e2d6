package auth_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"exante/auth"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func mint(tb testing.TB, env auth.Environment) auth.Token {
	tb.Helper()
	token, err := auth.Mint(env, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

func TestMintedTokensParseInTheirEnvironmentAlone(t *testing.T) {
	for env, other := range map[auth.Environment]auth.Environment{auth.Live: auth.Test, auth.Test: auth.Live} {
		token := mint(t, env)
		text := token.Reveal()
		if len(text) != 46 || !strings.HasPrefix(text, "ex_"+string(env)+"_") {
			t.Errorf("Mint(%s) has %d bytes and begins %s", env, len(text), text[:8])
		}
		parsed, err := auth.ParseToken(env, text)
		if err != nil || parsed.Reveal() != text || parsed.Tag() != token.Tag() {
			t.Errorf("ParseToken(%s) of its own: %v", env, err)
		}
		if _, err := auth.ParseToken(other, text); !errors.Is(err, auth.ErrBadToken) {
			t.Errorf("ParseToken(%s) of a %s token: %v", other, env, err)
		}
		if got, want := token.Snippet(), "ex_"+string(env)+"_..."+text[42:]; got != want {
			t.Errorf("Snippet() = %s, want %s", got, want)
		}
	}
}

// The checksums were computed by another program (zlib's crc32), as a scanner would.
func TestChecksumIsTheDocumentedOne(t *testing.T) {
	for _, text := range []string{
		"ex_live_000000000000000000000000000000003gs3n1",
		"ex_test_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123450o1WCD",
	} {
		if _, err := auth.ParseToken(auth.Environment(text[3:7]), text); err != nil {
			t.Errorf("ParseToken(%s): %v", text, err)
		}
	}
}

func TestTokensAreRefusedByShape(t *testing.T) {
	good := mint(t, auth.Live).Reveal()
	bad := map[string]string{
		"empty": "", "prefix alone": "ex_live_", "short": good[:45], "long": good + "0",
		"leading space": " " + good[:45], "trailing newline": good[:45] + "\n", "upper prefix": "EX_LIVE_" + good[8:],
		"dashes": "ex-live-" + good[8:], "not base62": good[:20] + "-" + good[21:], "NUL": good[:20] + "\x00" + good[21:],
		"high byte": good[:20] + "\xff" + good[21:], "bad last": good[:45] + "_", "twice": good + good,
	}
	for at := 8; at < 46; at++ { // CRC-32 finds every single wrong character
		c := byte('a')
		if good[at] == c {
			c = 'b'
		}
		bad[fmt.Sprintf("another character at %d", at)] = good[:at] + string(c) + good[at+1:]
	}
	for name, text := range bad {
		token, err := auth.ParseToken(auth.Live, text)
		if !errors.Is(err, auth.ErrBadToken) || err.Error() != "no such api key" || !token.IsZero() {
			t.Errorf("%s: ParseToken = %v", name, err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { auth.ParseToken(auth.Live, bad["twice"]) }); n != 0 {
		t.Errorf("%v allocations to refuse a token by its length", n)
	}
}

// No letter comes more often than another: chi-squared over 61 degrees of
// freedom passes 120 once in 100,000 runs.
func TestMintIsUnbiased(t *testing.T) {
	const tokens = 20_000
	var counts [256]float64
	for range tokens {
		for _, c := range []byte(mint(t, auth.Live).Reveal()[8:40]) {
			counts[c]++
		}
	}
	want, chi := float64(tokens*32)/62, 0.0
	for _, c := range []byte(alphabet) {
		chi += (counts[c] - want) * (counts[c] - want) / want
		counts[c] = 0
	}
	if chi > 120 {
		t.Errorf("chi-squared of the letters is %.0f", chi)
	}
	if counts != [256]float64{} {
		t.Errorf("letters outside base62: %v", counts)
	}
}

func TestMintFailsWithItsSource(t *testing.T) {
	_, err := auth.Mint(auth.Live, iotest.ErrReader(errors.New("no entropy")))
	if err == nil || err.Error() != "read randomness for a token: no entropy" {
		t.Errorf("Mint without randomness: %v", err)
	}
}

func TestZeroTokenIsHarmless(t *testing.T) {
	var zero auth.Token
	if !zero.IsZero() || zero.Reveal() != "" || zero.Snippet() != "" || zero.String() != "[redacted]" {
		t.Errorf("the zero Token reads %q, %q", zero.Reveal(), zero.Snippet())
	}
}

// deepSecrets holds secrets where fmt does not ask their methods.
type deepSecrets struct {
	Token  auth.Token
	Hash   auth.Hash
	token  auth.Token
	hash   auth.Hash
	tokens []auth.Token
	key    struct{ auth.Key }
}

// A secret reaches no print, log or encoder, wherever it hides.
func TestSecretsDoNotPrint(t *testing.T) {
	b := newBench(t, nil)
	key, r := b.key(t, nil)
	token, _ := auth.ParseToken(auth.Live, string(r.Token))
	secrets := []string{string(r.Token), string(r.Token[8:24]), key.Hash.PHC(), key.Hash.PHC()[40:]}
	deep := deepSecrets{token, key.Hash, token, key.Hash, []auth.Token{token}, struct{ auth.Key }{key}}
	clean := func(how, text string) {
		t.Helper()
		for _, s := range secrets {
			if strings.Contains(text, s) || strings.Contains(text, fmt.Sprintf("%x", s)) || strings.Contains(text, fmt.Sprintf("%X", s)) {
				t.Errorf("%s shows a secret: %s", how, text)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10s", "% x"} {
		for _, v := range []any{token, &token, key.Hash, &key.Hash, key, &key, deep, &deep, []any{token}, map[string]any{"k": token}} {
			clean(fmt.Sprintf("%s of %T", verb, v), fmt.Sprintf(verb, v))
		}
		if got := fmt.Sprintf(verb, token) + fmt.Sprintf(verb, key.Hash); got != "[redacted][redacted]" && verb != "%p" { // fmt answers %p itself
			t.Errorf("%s prints %s", verb, got)
		}
	}
	for name, encode := range map[string]func(any) ([]byte, error){
		"json": json.Marshal, "xml": xml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var out bytes.Buffer
			err := gob.NewEncoder(&out).Encode(v)
			return out.Bytes(), err
		},
		"slog text": func(v any) ([]byte, error) {
			var out bytes.Buffer
			slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v, slog.Group("g", "v", v))
			return out.Bytes(), nil
		},
		"slog json": func(v any) ([]byte, error) {
			var out bytes.Buffer
			slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
			return out.Bytes(), nil
		},
	} {
		for _, v := range []any{token, &token, key.Hash, &key.Hash, key, deep} {
			out, err := encode(v)
			clean(fmt.Sprintf("%s of %T", name, v), fmt.Sprint(string(out), err))
		}
	}
	if out, err := json.Marshal(map[string]any{"t": token, "h": key.Hash}); string(out) != `{"h":"[redacted]","t":"[redacted]"}` {
		t.Errorf("json: %s, %v", out, err)
	}
	if token.String()+key.Hash.String() != "[redacted][redacted]" {
		t.Error("String shows something")
	}
}

// The expression published in doc.go finds tokens in the midst of other text, and
// nothing that is too long to be one.
func TestPublishedExpressionFindsTokens(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^//\t(\\b.*)$`).FindSubmatch(doc)
	if line == nil {
		t.Fatal("doc.go has no expression")
	}
	scanner := regexp.MustCompile(string(line[1]))
	for _, env := range []auth.Environment{auth.Live, auth.Test} {
		token := mint(t, env).Reveal()
		for _, around := range []string{"%s", "Authorization: Bearer %s\r\n", `{"key":"%s"}`, "KEY=%s;", "x %s y"} {
			if got := scanner.FindString(fmt.Sprintf(around, token)); got != token {
				t.Errorf("in %q: found %q", around, got)
			}
		}
		if scanner.MatchString(token + "0") {
			t.Error("found in a longer word")
		}
	}
}
