package admin_test

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

var printedAddress = regexp.MustCompile(`listening on http://(\S+)\n`)

func TestServePrintsTheRealPortAndStopsOnSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dir := dataDir(t)
		c := start(t, program("serve", "--listen", "127.0.0.1:0", "--data-dir", dir), "listening on")
		m := printedAddress.FindStringSubmatch(c.output.String())
		if m == nil || strings.HasSuffix(m[1], ":0") {
			t.Fatalf("printed %s", c.output.String())
		}
		conn, err := net.Dial("tcp", m[1])
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		must(t, "keys", "create", "--name", "n", "--data-dir", dir)
		if code := c.signal(t, s); code != 0 {
			t.Errorf("%v: exit %d\n%s", s, code, c.output.String())
		}
		must(t, "verify", "--data-dir", dir)
	}
}

// After kill -9 the next command and the next server find their way past what
// was left behind.
func TestKilledServerLeavesNothingInTheWay(t *testing.T) {
	dir := dataDir(t)
	c := start(t, program("serve", "--listen", "127.0.0.1:0", "--data-dir", dir), "listening on")
	must(t, "keys", "create", "--name", "kept", "--data-dir", dir)
	c.signal(t, syscall.SIGKILL)
	if _, err := os.Stat(filepath.Join(dir, "admin.sock")); err != nil {
		t.Fatalf("the test wants a stale socket: %v", err)
	}
	if got := must(t, "keys", "list", "--data-dir", dir); !strings.Contains(got, "kept") {
		t.Errorf("keys = %s", got)
	}
	start(t, program("serve", "--listen", "127.0.0.1:0", "--data-dir", dir), "listening on")
	if got := must(t, "keys", "list", "--data-dir", dir); !strings.Contains(got, "kept") {
		t.Errorf("keys = %s", got)
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	dir := dataDir(t)
	run(t, dir)
	fails(t, 5, "store is in use by another process: "+dir, "serve", "--listen", "127.0.0.1:0", "--data-dir", dir)
}

func TestTakenPortIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	address := l.Addr().String()
	for _, flags := range [][]string{{"--data-dir", dataDir(t)}, {"--demo"}} {
		fails(t, 1, "exante: listen on "+address+": address already in use\nhint: another program has the port: choose one with --listen",
			append([]string{"serve", "--listen", address}, flags...)...)
	}
}

func TestServeRefusesBadSettings(t *testing.T) {
	dir := dataDir(t)
	fails(t, 2, `server.listen (--server-listen): "8080" is not HOST:PORT`, "serve", "--listen", "8080", "--data-dir", dir)
	fails(t, 2, `rate_limit.windows (--rate-limit-windows)`, "serve", "--rate-limit-windows", "many", "--data-dir", dir)
	fails(t, 2, "server.listen: listen tcp: lookup", "serve", "--listen", "no.such.host.invalid:0", "--data-dir", dir)
	fails(t, 2, "--demo keeps its store in a temporary directory", "serve", "--demo", "--data-dir", dir)
}

func TestOpenListenerWithoutProxyIsWarnedAbout(t *testing.T) {
	const warning = "keys cross the network in clear"
	for flags, warns := range map[string]bool{
		"--listen 0.0.0.0:0": true, "--listen [::1]:0": false, "--listen 127.0.0.1:0": false,
		"--listen 0.0.0.0:0 --server-trusted-proxies 10.0.0.1": false,
	} {
		if strings.Contains(flags, "::1") && !hasIPv6() {
			t.Log("no IPv6 loopback here")
			continue
		}
		c := start(t, program(append(strings.Fields("serve --log-level warn "+flags), "--data-dir", dataDir(t))...), "listening on")
		if got := strings.Contains(c.output.String(), warning); got != warns {
			t.Errorf("%s: warned = %v, want %v\n%s", flags, got, warns, c.output.String())
		}
		c.signal(t, syscall.SIGKILL)
	}
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
}

var printedDemo = regexp.MustCompile(`(?m)^(ex_live_[0-9A-Za-z]{38})\ncurl -H "Authorization: Bearer (ex_live_[0-9A-Za-z]{38})" http://(127\.0\.0\.1:\d+)/api/invoices$`)

func TestDemoPrintsAKeyAndLeavesNothing(t *testing.T) {
	tmp := openDir(t)
	cmd := program("serve", "--demo", "--listen", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
	c := start(t, cmd, "/api/invoices")
	m := printedDemo.FindStringSubmatch(c.output.String())
	if m == nil || m[1] != m[2] {
		t.Fatalf("printed %s", c.output.String())
	}
	c.await(t, "exante keys list --data-dir") // on the other stream, which is written on its own
	hint := regexp.MustCompile(`exante keys list --data-dir (\S+)`).FindStringSubmatch(c.output.String())
	if hint == nil || !strings.Contains(must(t, "keys", "list", "--data-dir", hint[1]), "demo") {
		t.Errorf("printed %s", c.output.String())
	}
	if code := c.signal(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d:\n%s", code, c.output.String())
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDemoAsJSON(t *testing.T) {
	c := start(t, program("serve", "--demo", "--json", "--log-level", "error", "--listen", "127.0.0.1:0"), `"url":"http://127.0.0.1:`)
	if !regexp.MustCompile(`(?m)^\{"key":"ex_live_[0-9A-Za-z]{38}","url":"http://127\.0\.0\.1:\d+"\}$`).MatchString(c.output.String()) {
		t.Errorf("printed %s", c.output.String())
	}
	if code := c.signal(t, syscall.SIGINT); code != 0 {
		t.Errorf("exit %d:\n%s", code, c.output.String())
	}
}
