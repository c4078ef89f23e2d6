package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The port of the API is taken by others to the last place: an operator hears of
// the server all the same, within seconds.
func TestHealthcheckAnswersWhateverThePortSuffersFrom(t *testing.T) {
	dir := dataDir(t)
	s := serve(t, dir, "--server-max-conns-per-ip", "20")
	client.CloseIdleConnections()
	for full := false; !full; {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		status := struct {
			Connections int `json:"connections"`
		}{}
		if err := json.Unmarshal([]byte(mustShell(t, "status", "--json", "--data-dir", dir)), &status); err != nil {
			t.Fatal(err)
		}
		full = status.Connections == 20
	}
	began := time.Now()
	if got := mustShell(t, "healthcheck", "--data-dir", dir); got != "ready\n" {
		t.Errorf("healthcheck = %q", got)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
	s.cmd.Process.Kill()
	<-s.exited
	if r := shell(t, "healthcheck", "--data-dir", dir); r.code != 6 {
		t.Errorf("after kill -9: exit %d, %s", r.code, r.stderr)
	}
}

// Metrics are on a port of their own, without a key, and only if that is asked for;
// they and the status tell the same.
func TestMetricsAndStatusTellTheSame(t *testing.T) {
	dir := dataDir(t)
	key := shellKey(t, dir, "--name", "n")
	s := serve(t, dir, "--metrics-listen", "127.0.0.1:0")
	for range 5 {
		s.call("GET", "/api/api-keys/current", key.Key, "").want(t, 200)
	}
	s.call("GET", "/api/invoices", key.Key+"x", "").want(t, 401)
	s.call("GET", "/metrics", "", "").want(t, 404)
	var status struct {
		Version  string
		Listen   []string
		Requests map[string]int
		Refusals map[string]int
		Data     struct {
			Sequence int
			Users    int
		}
		Keys map[string]int
	}
	if err := json.Unmarshal([]byte(mustShell(t, "status", "--json", "--data-dir", dir)), &status); err != nil {
		t.Fatal(err)
	}
	if len(status.Listen) != 2 || !strings.Contains(s.output.String(), "metrics on http://"+status.Listen[1]+"/metrics") {
		t.Errorf("listens on %v, printed %s", status.Listen, s.output)
	}
	resp, err := http.Get("http://" + status.Listen[1] + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`exante_http_requests_total{method="GET",route="/api/api-keys/current",status="2xx"} 5`,
		`exante_auth_refusals_total{reason="malformed"} 1`,
		`exante_keys{state="active"} 1`, `exante_users 1`,
	} {
		if !strings.Contains(string(text), "\n"+want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if status.Refusals["malformed"] != 1 || status.Keys["active"] != 1 || status.Data.Users != 1 || status.Requests["4xx"] != 2 {
		t.Errorf("status = %+v", status)
	}
	if !strings.Contains(string(text), `version="`+status.Version+`"`) {
		t.Errorf("build info is not of %s", status.Version)
	}
	if strings.Contains(string(text), key.UID) || regexp.MustCompile(`="(127\.0|[0-9a-f-]{36})`).Match(text) {
		t.Error("a label holds a uid or an address")
	}
}

func TestMetricsThatOthersReachAreWarnedAbout(t *testing.T) {
	s := serve(t, dataDir(t), "--metrics-listen", "0.0.0.0:0")
	if !strings.Contains(s.output.String(), "whoever reaches the port of the metrics can read them") {
		t.Errorf("printed %s", s.output)
	}
	r := shell(t, "serve", "--data-dir", dataDir(t), "--listen", "127.0.0.1:0", "--metrics-listen", strings.TrimPrefix(s.url, "http://"))
	if r.code != 1 || !strings.Contains(r.stderr, "address already in use") {
		t.Errorf("a port that is taken: exit %d, %s", r.code, r.stderr)
	}
}
