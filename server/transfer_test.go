package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"exante/server"
	"exante/storage"
)

// rawUpload is the head of an upload.
func (w *world) rawUpload(path string, headers ...string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + formMedia + "\r\nAuthorization: Bearer " + w.acme.key + "\r\n" +
		strings.Join(headers, "\r\n") + "\r\n\r\n"
}

// dial connects; what is written and read must be done in a minute.
func (w *world) dial() net.Conn {
	w.tb.Helper()
	conn, err := net.Dial("tcp", w.addr)
	w.must(err)
	w.tb.Cleanup(func() { conn.Close() })
	w.must(conn.SetDeadline(time.Now().Add(time.Minute)))
	return conn
}

// zeros is content without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// bigForm is a form of files of the same size, and how long it is.
func bigForm(files int, size int64) (io.Reader, int64) {
	var parts []io.Reader
	length := int64(0)
	add := func(r io.Reader, n int64) { parts, length = append(parts, io.LimitReader(r, n)), length+n }
	for n := range files {
		head := fmt.Sprintf("--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"%d\"\r\n\r\n", n)
		add(strings.NewReader(head), int64(len(head)))
		add(zeros{}, size)
		add(strings.NewReader("\r\n"), 2)
	}
	add(strings.NewReader("--b--\r\n"), 7)
	return io.MultiReader(parts...), length
}

// post sends a form whose length is told only if it is not negative.
func (w *world) post(path string, form io.Reader, length int64) reply {
	w.tb.Helper()
	req, err := http.NewRequestWithContext(w.tb.Context(), "POST", "http://"+w.addr+path, form)
	w.must(err)
	req.ContentLength = length
	req.Header.Set("Content-Type", formMedia)
	req.Header.Set("Authorization", "Bearer "+w.acme.key)
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	return reply{resp.StatusCode, resp.Header, string(text)}
}

func TestUploadsOverALimitAreRefusedAndChangeNothing(t *testing.T) {
	w := start(t, nil)
	path, invoice := w.attachPath()
	for _, told := range []bool{true, false} {
		for _, c := range []struct {
			files int
			size  int64
			code  string
		}{
			{1, storage.MaxFileSize + 1, "file_too_large"},
			{storage.MaxFiles + 1, 1, "too_many_files"},
			{5, 21 << 20, "files_too_large"},
		} {
			form, length := bigForm(c.files, c.size)
			if !told {
				length = -1
			}
			w.refused(w.post(path, form, length), 413, c.code)
		}
	}
	form, length := bigForm(1, storage.MaxFileSize)
	w.attached(w.post(path, form, length))
	form, _ = bigForm(storage.MaxFiles, 100)
	w.attached(w.post(path, form, -1))
	if n := w.count(invoice); n != 21 {
		t.Errorf("%d attachments, want 21", n)
	}
	for n := 21; n < storage.MaxAttachments; n += storage.MaxFiles {
		form, length = bigForm(min(storage.MaxFiles, storage.MaxAttachments-n), 1)
		w.attached(w.post(path, form, length))
	}
	form, length = bigForm(1, 1)
	w.refused(w.post(path, form, length), 413, "too_many_attachments")
}

// Key, scope, limit, invoice and length are judged before any of the files comes.
func TestUploadIsJudgedBeforeItIsSent(t *testing.T) {
	w := start(t, nil)
	path, _ := w.attachPath()
	length := "Content-Length: 1000000"
	for _, c := range []struct{ name, raw, want string }{
		{"no key", strings.Replace(w.rawUpload(path, length), "Authorization", "X-Other", 1), "401"},
		{"no invoice", w.rawUpload("/api/invoices/"+absent+"/attachment", length), "404"},
		{"stale", w.rawUpload(path, length, `If-Match: "7"`), "412"},
		{"other media", strings.Replace(w.rawUpload(path, length), formMedia, "application/json", 1), "415"},
		{"too long", w.rawUpload(path, "Content-Length: 200000000"), "413"},
		{"encoded", w.rawUpload(path, length, "Content-Encoding: gzip"), "415"},
	} {
		raws := []string{c.raw + "-"}           // the first byte of the body has come
		if c.want != "404" && c.want != "412" { // which the store says, after "100 Continue"
			raws = append(raws, strings.Replace(c.raw, "\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1))
		}
		for _, raw := range raws {
			answer, closed := talk(t, w.addr, []byte(raw))
			if got := strings.Join(statuses(answer), " "); !closed || got != c.want {
				t.Errorf("%s, %.900q: answers %q, closed %v, want %s", c.name, raw, got, closed, c.want)
			}
		}
	}
	form := formOf(upload{"files", "a", "a"})
	raw := w.rawUpload(path, "Expect: 100-continue", fmt.Sprint("Content-Length: ", len(form)), "Connection: close") + form
	if answer, _ := talk(t, w.addr, []byte(raw)); strings.Join(statuses(answer), " ") != "100 201" {
		t.Errorf("answers %.300q", answer)
	}
}

// The deadline of a whole request is not for files; one that only stops and goes is.
func TestSlowUploadIsTakenAndStalledOneIsNot(t *testing.T) {
	w := start(t, func(o *server.Options) { o.ReadTimeout, o.TransferGrace = 200*time.Millisecond, 600*time.Millisecond })
	path, invoice := w.attachPath()
	form := formOf(upload{"files", "slow", noise(200_000)})
	conn := w.dial()
	begin := time.Now()
	_, err := io.WriteString(conn, w.rawUpload(path, fmt.Sprint("Content-Length: ", len(form)), "Connection: close"))
	w.must(err)
	const pieces = 10
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := range pieces { // 20 kB each, five times the pace that is asked for
		<-tick.C
		_, err := io.WriteString(conn, form[n*len(form)/pieces:(n+1)*len(form)/pieces])
		w.must(err)
	}
	answer, err := io.ReadAll(conn)
	if got := statuses(string(answer)); err != nil || len(got) != 1 || got[0] != "201" {
		t.Errorf("slow: %.300q, %v", answer, err)
	}
	if took := time.Since(begin); took < 600*time.Millisecond {
		t.Errorf("it was not slow: %v", took)
	}

	for name, write := range map[string]func(net.Conn){
		"stalled": func(c net.Conn) { io.WriteString(c, form[:100_000]) },
		"trickling": func(c net.Conn) {
			for n := 0; n < len(form); n++ {
				if _, err := io.WriteString(c, form[n:n+1]); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond) // it is the pace that is tested
			}
		},
	} {
		conn := w.dial()
		_, err := io.WriteString(conn, w.rawUpload(path, fmt.Sprint("Content-Length: ", len(form))))
		w.must(err)
		go write(conn)
		answer, err := io.ReadAll(conn)
		if got := statuses(string(answer)); err != nil || len(got) != 1 || got[0] != "408" {
			t.Errorf("%s: %.300q, %v", name, answer, err)
		}
	}
	if n := w.count(invoice); n != 1 {
		t.Errorf("%d attachments, want 1", n)
	}
}

func TestUploadThatBreaksOffLeavesNothing(t *testing.T) {
	w := start(t, nil)
	path, invoice := w.attachPath()
	form := formOf(upload{"files", "first", "came whole"}, upload{"files", "second", noise(2 << 20)})
	for name, c := range map[string]struct{ head, body string }{
		"length":             {fmt.Sprint("Content-Length: ", len(form)), form[:len(form)-9]},
		"length, end is due": {fmt.Sprint("Content-Length: ", len(form)+1), form},
		"chunks":             {"Transfer-Encoding: chunked", strings.TrimSuffix(chunked(form, 50_000), "0\r\n\r\n")},
		"within a chunk":     {"Transfer-Encoding: chunked", chunked(form, 50_000)[:1<<20]},
	} {
		conn := w.dial()
		_, err := io.WriteString(conn, w.rawUpload(path, c.head)+c.body)
		w.must(err)
		w.must(conn.(*net.TCPConn).CloseWrite())
		answer, _ := io.ReadAll(conn)
		if got := statuses(string(answer)); len(got) != 1 || got[0] != "400" {
			t.Errorf("%s: %.300q", name, answer)
		}
	}
	if n := w.count(invoice); n != 0 {
		t.Errorf("%d attachments were made", n)
	}
}

func TestUploadsEndWhereTheNextRequestBegins(t *testing.T) {
	w := start(t, nil)
	path, invoice := w.attachPath()
	form := formOf(upload{"files", "a", noise(70_000)}) + "an epilogue"
	fixed := w.rawUpload(path, fmt.Sprint("Content-Length: ", len(form))) + form
	pieces := w.rawUpload(path, "Transfer-Encoding: chunked") + chunked(form, 7_000)
	last := "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	answer, closed := talk(t, w.addr, []byte(fixed+pieces+fixed+last))
	if got := strings.Join(statuses(answer), " "); !closed || got != "201 201 201 200" || w.count(invoice) != 3 {
		t.Errorf("answers %q, closed %v, %d attachments", got, closed, w.count(invoice))
	}
}

func TestOnlySoManyUploadsAreReadAtOnce(t *testing.T) {
	w := start(t, nil)
	path, _ := w.attachPath()
	form := formOf(upload{"files", "a", strings.Repeat("a", 10_000)})
	const most = 16 // of one organization
	type answered struct {
		conn   net.Conn
		answer string
	}
	answers := make(chan answered, most+1)
	conns := map[net.Conn]bool{}
	for range most + 1 {
		conn := w.dial()
		conns[conn] = true
		_, err := io.WriteString(conn, w.rawUpload(path, fmt.Sprint("Content-Length: ", len(form)), "Connection: close")+form[:5_000])
		w.must(err)
		go func() {
			answer, _ := io.ReadAll(conn)
			answers <- answered{conn, string(answer)}
		}()
	}
	refused := <-answers // only that needs no more to be answered
	if !strings.HasPrefix(refused.answer, "HTTP/1.1 503") || !strings.Contains(refused.answer, "Retry-After: 1\r\n") {
		t.Errorf("one too many: %.300q", refused.answer)
	}
	delete(conns, refused.conn)
	theirs := "/api/invoices/" + w.invoice(w.rival.key, "")["uid"].(string) + "/attachment"
	w.attached(w.do("POST", theirs, w.rival.key, form, "Content-Type", formMedia))
	for conn := range conns {
		_, err := io.WriteString(conn, form[5_000:])
		w.must(err)
	}
	for range conns {
		if a := <-answers; !strings.HasPrefix(a.answer, "HTTP/1.1 201") {
			t.Errorf("%.200q", a.answer)
		}
	}
	w.attached(w.send(path, form))
}
