package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"exante/server"
	"exante/storage"
)

// Who reads too slowly is cut off, and who goes on reading is not.
func TestDownloadsHaveAPaceToo(t *testing.T) {
	w := start(t, func(o *server.Options) { o.WriteTimeout, o.TransferGrace = 100*time.Millisecond, 500*time.Millisecond })
	path, _ := w.attachPath()
	form, length := bigForm(1, storage.MaxFileSize)
	url := w.attached(w.post(path, form, length))[0]["presigned_url"].(string)
	get := "GET " + strings.TrimPrefix(url, "http://"+w.addr) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	conn := w.dial()
	_, err := io.WriteString(conn, get)
	w.must(err)
	var got int64
	began := time.Now()
	buf := make([]byte, 2<<20)
	tick := time.NewTicker(70 * time.Millisecond)
	defer tick.Stop()
	for err == nil {
		<-tick.C
		var n int
		n, err = io.ReadFull(conn, buf)
		got += int64(n)
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || got < storage.MaxFileSize || time.Since(began) < 500*time.Millisecond {
		t.Errorf("%d bytes came in %v, %v", got, time.Since(began), err)
	}

	stalled := w.dial()
	_, err = io.WriteString(stalled, get)
	w.must(err)
	r := bufio.NewReader(stalled)
	_, err = r.Peek(1)
	w.must(err)
	time.Sleep(1500 * time.Millisecond) // three times what is allowed, reading nothing
	n, _ := io.Copy(io.Discard, r)
	if n >= storage.MaxFileSize {
		t.Errorf("%d bytes came to one who did not read", n)
	}
}

// Who is reading a file that is deleted does not take what he has for all of it.
func TestDownloadThatCannotGoOnIsCutOff(t *testing.T) {
	w := start(t, nil)
	path, invoice := w.attachPath()
	form, length := bigForm(1, storage.MaxFileSize)
	a := w.attached(w.post(path, form, length))[0]
	conn := w.dial()
	url := strings.TrimPrefix(a["presigned_url"].(string), "http://"+w.addr)
	_, err := io.WriteString(conn, "GET "+url+" HTTP/1.1\r\nHost: a\r\n\r\n")
	w.must(err)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	w.must(err)
	w.data(w.do("DELETE", path, w.acme.key, fmt.Sprintf(`{"attachment_uid":%q}`, a["uid"])), 200)
	waitFor(t, "the content to be swept", func() bool {
		report, err := w.store.Verify(t.Context(), nil)
		w.must(err)
		return report.Records < 100
	})
	n, err := io.Copy(io.Discard, resp.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || n >= storage.MaxFileSize || resp.ContentLength != storage.MaxFileSize {
		t.Errorf("%d bytes of %d came, %v", n, resp.ContentLength, err)
	}
	if w.count(invoice) != 0 || strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("%d attachments; the log: %.500s", w.count(invoice), w.log.String())
	}
}
