package static_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"exante/server/static"
)

func TestGzipGoesToWhoAcceptsIt(t *testing.T) {
	f := static.New("text/plain", []byte(strings.Repeat("exante ", 100)))
	for accept, want := range map[string]string{
		"": "", "br": "", "gzip": "gzip", "deflate, GZIP": "gzip", "gzip;q=0.5, br": "gzip",
		"gzip;q=0": "", "gzip; q=0.000": "", "gzip;q=x": "", "xgzip": "",
	} {
		c := f.Choose(accept, "")
		if c.Encoding != want {
			t.Errorf("Accept-Encoding %q gets %q, want %q", accept, c.Encoding, want)
		}
		if want == "" && !bytes.Equal(c.Body, f.Body) {
			t.Errorf("Accept-Encoding %q gets other bytes", accept)
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(f.Choose("gzip", "").Body))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, f.Body) {
		t.Errorf("unpacked: %q, %v", plain, err)
	}
}

func TestWhatGzipMakesLargerGoesAsItIs(t *testing.T) {
	if c := static.New("text/plain", []byte("a")).Choose("gzip", ""); c.Encoding != "" || string(c.Body) != "a" {
		t.Errorf("got %+v", c)
	}
}

func TestClientThatHasTheFileGetsNone(t *testing.T) {
	f := static.New("text/plain", []byte(strings.Repeat("exante ", 100)))
	plain, zipped := f.Choose("", "").Tag, f.Choose("gzip", "").Tag
	if plain == zipped {
		t.Errorf("two forms with one tag %s", plain)
	}
	for header, has := range map[string]bool{
		plain: true, "W/" + plain: true, `"x", ` + plain: true, "*": true, zipped: false, `"x"`: false, "": false,
		strings.Trim(plain, `"`): false,
	} {
		if got := f.Choose("", header).Body == nil; got != has {
			t.Errorf("If-None-Match %s: has it = %v, want %v", header, got, has)
		}
	}
}

func TestHashFollowsTheContent(t *testing.T) {
	a, b := static.New("text/plain", []byte("a")), static.New("text/plain", []byte("b"))
	if a.Hash == b.Hash || len(a.Hash) != 16 {
		t.Errorf("hashes %q and %q", a.Hash, b.Hash)
	}
}
