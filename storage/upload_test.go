package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"exante/storage"
	"exante/storage/input"
)

func TestNameOfAFileIsNoPath(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	long := strings.Repeat("ä", 255)
	for sent, want := range map[string]string{
		"a.pdf": "a.pdf", "../../etc/passwd": "passwd", `C:\Users\ann\a b.pdf`: "a b.pdf", "/abs": "abs", `..\x/y`: "y",
		"  spaced.txt  ": "spaced.txt", "Cafe\u0301.pdf": "Café.pdf", "rapport – été 日本.pdf": "rapport – été 日本.pdf",
		`"quoted"; x=y.pdf`: `"quoted"; x=y.pdf`, long: long, "a/" + long: long, ".hidden": ".hidden", "...": "...",
	} {
		if got := b.attach(inv.ID, file(sent, "x"))[0].Name; got != want {
			t.Errorf("%q is kept as %q, want %q", sent, got, want)
		}
	}
	for sent, reason := range map[string]string{
		"": "must have 1 to 255 characters", "   ": "must have 1 to 255 characters", "dir/": "must have 1 to 255 characters",
		long + "x": "must have 1 to 255 characters", ".": "must name a file", "a/..": "must name a file", `a\..`: "must name a file",
		"a\x00.pdf": "has a character that does not print (U+0000)", "a\r\nSet-Cookie: x": "has a character that does not print (U+000D)",
		"fdp\u202eexe.": "has a character that does not print (U+202E)", "\xff.pdf": "is not valid UTF-8",
	} {
		_, _, err := b.AddAttachments(t.Context(), b.by, inv.ID, 0, inTurn(file("good.txt", "x"), file(sent, "x")))
		refused(t, err, input.ErrInvalid, "invalid: [files[1]: file name "+reason+"]")
	}
}

func TestTypeOfAFileIsWhatItLooksLike(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	for content, want := range map[string]string{
		"%PDF-1.7": "application/pdf", "\x89PNG\r\n\x1a\n": "image/png", "<html><script>": "text/html; charset=utf-8",
		"plain": "text/plain; charset=utf-8", "": "text/plain; charset=utf-8", "\x00\x01": "application/octet-stream",
	} {
		if got := b.attach(inv.ID, file("invoice.pdf", content))[0].ContentType; got != want {
			t.Errorf("%q is taken for %s, want %s", content, got, want)
		}
	}
}

// broken is content whose end does not come.
func broken(n int, err error) storage.File {
	return storage.File{Name: "broken", Content: io.MultiReader(bytes.NewReader(noise(n)), failing{err})}
}

type failing struct{ err error }

// endless is n bytes of nothing.
func endless(n int64) storage.File {
	return storage.File{Name: "zeros", Content: io.LimitReader(zeros{}, n)}
}

type zeros struct{}

func TestUploadThatFailsLeavesNothing(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	b.attach(inv.ID, file("first", "x"))
	before, records := b.invoice(inv.ID), b.records()
	many := make([]storage.File, storage.MaxFiles+1)
	for n := range many {
		many[n] = file("x", "x")
	}
	errGone := errors.New("client is gone")
	for _, c := range []struct {
		name  string
		files []storage.File
		want  error
	}{
		{"end too early", []storage.File{file("a", "a"), broken(200_000, io.ErrUnexpectedEOF)}, io.ErrUnexpectedEOF},
		{"end too early, at once", []storage.File{broken(0, io.ErrUnexpectedEOF)}, io.ErrUnexpectedEOF},
		{"an end in disguise", []storage.File{broken(100, fmt.Errorf("next part: %w", io.EOF))}, io.EOF},
		{"client gone", []storage.File{broken(2<<20, errGone)}, errGone},
		{"file too large", []storage.File{file("a", "a"), endless(storage.MaxFileSize + 1)}, storage.ErrFileTooLarge},
		{"too many files", many, storage.ErrTooManyFiles},
		{"no file", nil, input.ErrInvalid},
	} {
		_, _, err := b.AddAttachments(t.Context(), b.by, inv.ID, 0, inTurn(c.files...))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	_, _, err := b.AddAttachments(t.Context(), b.by, inv.ID, 0, func() (storage.File, error) {
		return storage.File{}, fmt.Errorf("next part: %w", io.EOF)
	})
	if !errors.Is(err, io.EOF) {
		t.Errorf("files that end in disguise: %v", err)
	}
	if got := b.attached(inv.ID); len(got) != 1 || b.invoice(inv.ID).Version != before.Version {
		t.Errorf("there are %d attachments, version %d, want as before", len(got), b.invoice(inv.ID).Version)
	}
	b.wantRecords(records)
}

func TestFilesAtOnceAreBoundedInAll(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100 MiB")
	}
	b := openBooks(t)
	inv := b.draft(100)
	files := []storage.File{endless(25 << 20), endless(25 << 20), endless(25 << 20), endless(25 << 20), file("more", "x")}
	if _, _, err := b.AddAttachments(t.Context(), b.by, inv.ID, 0, inTurn(files...)); !errors.Is(err, storage.ErrFilesTooLarge) {
		t.Errorf("got %v, want %v", err, storage.ErrFilesTooLarge)
	}
}

func TestAttachmentsOfAnInvoiceAreBounded(t *testing.T) {
	b := openBooks(t)
	inv := b.draft(100)
	ten := func(n int) (files []storage.File) {
		for range n {
			files = append(files, file("x", "x"))
		}
		return files
	}
	for range 9 {
		b.attach(inv.ID, ten(11)...)
	}
	_, _, err := b.AddAttachments(t.Context(), b.by, inv.ID, 0, inTurn(ten(2)...))
	refused(t, err, storage.ErrTooManyAttachments, "invoice has too many attachments")
	b.attach(inv.ID, file("the hundredth", "x"))
	_, _, err = b.AddAttachments(t.Context(), b.by, inv.ID, 0, func() (storage.File, error) {
		t.Error("a file was asked for that has no room")
		return storage.File{}, io.EOF
	})
	refused(t, err, storage.ErrTooManyAttachments, "invoice has too many attachments")
}
