package server

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

// formFrom reads body as a form with the boundary b.
func formFrom(body io.Reader) *form {
	f := newForm("b", &intake{in: body, length: -1, until: func(time.Time) error { return nil }})
	f.ended = func(bool) error { return nil }
	return f
}

// Whatever is sent as a form ends, in files or in an error of the table.
func FuzzForm(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=files; filename*=UTF-8''%41\r\n\r\n--b--"))
	f.Add([]byte("--b\r\n\r\n\r\n--b\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		form := formFrom(bytes.NewReader(body))
		for {
			file, err := form.next()
			if err == nil {
				_, err = io.Copy(io.Discard, file.Content)
			}
			switch {
			case err == io.EOF:
				return
			case err != nil:
				if row := rowOf(err); row.status >= 500 {
					t.Fatalf("%v has no row", err)
				}
				return
			}
		}
	})
}

func TestContentThatBreaksOffDoesNotEndWell(t *testing.T) {
	head := "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n"
	for name, body := range map[string]string{"in the head": head[:30], "in the content": head + "abc", "before the end": head + "abc\r\n--b\r\n"} {
		f := formFrom(strings.NewReader(body))
		var err error
		for err == nil {
			file, nextErr := f.next()
			if err = nextErr; err == nil {
				_, err = io.ReadAll(file.Content)
			}
		}
		if row := rowOf(err); row.status != 400 && row.status != 422 {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestPaceAllowsPausesAndNoCreditForThem(t *testing.T) {
	const grace = time.Minute
	began := time.Now()
	for _, c := range []struct {
		before time.Duration // that it began
		moved  int64
		want   time.Duration // from now on
	}{
		{0, 0, grace},
		{0, 1 << 30, grace}, // haste is no credit for a pause
		{time.Hour, transferRate * 3600, grace},
		{time.Hour, transferRate * 3590, grace - 10*time.Second},
		{time.Hour, 0, grace - time.Hour},
	} {
		p := pace{began.Add(-c.before), grace}
		if got := time.Until(p.deadline(c.moved)); got > c.want || got < c.want-5*time.Second {
			t.Errorf("after %v and %d bytes it has %v left, want %v", c.before, c.moved, got, c.want)
		}
	}
}

func TestDispositionIsOneSafeLine(t *testing.T) {
	for name, want := range map[string]string{
		"a.pdf":         `attachment; filename="a.pdf"; filename*=UTF-8''a.pdf`,
		"a b":           `attachment; filename="a b"; filename*=UTF-8''a%20b`,
		"a\r\nX: y\x00": `attachment; filename="a__X_ y_"; filename*=UTF-8''a%0D%0AX%3A%20y%00`,
		`"\;%'*`:        `attachment; filename="______"; filename*=UTF-8''%22%5C%3B%25%27%2A`,
		"é\xff":         `attachment; filename="__"; filename*=UTF-8''%C3%A9%FF`,
	} {
		if got := disposition(name); got != want {
			t.Errorf("disposition(%q) = %s, want %s", name, got, want)
		}
	}
}
