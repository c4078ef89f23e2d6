package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exante/admin/certificate/certtest"
)

// proxied is the server behind the proxy of the README, and a client that reaches
// it by its public name, from an address that is no proxy's.
type proxied struct {
	*server
	client *http.Client
}

const (
	publicName = "https://billing.example.com"
	clientIP   = "127.0.0.2"
	forgedIP   = "203.0.113.9"
)

// needs finds a program, or skips the test; in CI it must be there.
func needs(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("needs %s: apt-get install %[1]s", program)
	}
	return path
}

func TestReadmeBehindNginx(t *testing.T) {
	nginx := needs(t, "nginx")
	pair := certtest.New(t, "billing", time.Now().Add(time.Hour))
	cert, key := pemFiles(t, pair)
	behind(t, func(upstream, address string) (*exec.Cmd, func() *x509.CertPool) {
		site := adapted(t, fenced(t, "nginx")[0], "127.0.0.1:8080", upstream, "listen 443", "listen "+address,
			"/etc/nginx/billing/fullchain.pem", cert, "/etc/nginx/billing/privkey.pem", key)
		dir := t.TempDir()
		temp := ""
		for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			temp += fmt.Sprintf("%s_temp_path %s/%[1]s;\n", kind, dir)
		}
		file := filepath.Join(dir, "nginx.conf")
		write(t, file, "user root;\ndaemon off;\npid "+dir+"/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n"+temp+site+"}\n")
		return exec.Command(nginx, "-e", "stderr", "-c", file), func() *x509.CertPool { return certtest.Pool(pair) }
	})
}

// Caddy asks an authority of its own for the certificate here: none on the net knows
// the name.
func TestReadmeBehindCaddy(t *testing.T) {
	caddy := needs(t, "caddy")
	home := t.TempDir()
	behind(t, func(upstream, address string) (*exec.Cmd, func() *x509.CertPool) {
		_, port, _ := net.SplitHostPort(address)
		site := adapted(t, fenced(t, "caddy")[0], "127.0.0.1:8080", upstream, "billing.example.com {", "billing.example.com:"+port+" {")
		file := filepath.Join(home, "Caddyfile")
		write(t, file, "{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n"+site)
		cmd := exec.Command(caddy, "run", "--config", file, "--adapter", "caddyfile")
		cmd.Env = append(cleanEnv(), "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home, "HOME="+home)
		return cmd, func() *x509.CertPool {
			pool := x509.NewCertPool()
			root, err := os.ReadFile(filepath.Join(home, "caddy/pki/authorities/local/root.crt"))
			if err != nil || !pool.AppendCertsFromPEM(root) {
				return nil
			}
			return pool
		}
	})
}

// behind starts the server with the settings of the README, the proxy before it,
// and sends through what a proxy can get wrong.
func behind(t *testing.T, proxy func(upstream, address string) (*exec.Cmd, func() *x509.CertPool)) {
	dir := dataDir(t)
	near := shellKey(t, dir, "--name", "near", "--allowed-cidrs", clientIP+"/32")
	forged := shellKey(t, dir, "--name", "forged", "--allowed-cidrs", forgedIP+"/32")
	mustShell(t, "invoices", "import", importFile(t, 5000, simpleLine), "--data-dir", dir)
	config := filepath.Join(t.TempDir(), "exante.toml")
	write(t, config, settingsWith(t, "trusted_proxies"))
	s := serve(t, dir, "--config", config, "--server-allowed-hosts", "billing.example.com")

	address := freeAddress(t)
	cmd, trusted := proxy(strings.TrimPrefix(s.url, "http://"), address)
	p := &proxied{server: s, client: clientOf(address)}
	p.run(cmd, trusted)

	p.ask("GET", "/api/api-keys/current", near.Key, nil, "").want(t, 200)
	seen := data[struct {
		IP string `json:"last_used_ip"`
	}](t, p.ask("GET", "/api/api-keys/"+near.UID+"/activity", near.Key, nil, "").want(t, 200))
	if seen.IP != clientIP {
		t.Errorf("the server sees %q, want %s", seen.IP, clientIP)
	}
	p.ask("GET", "/api/api-keys/current", forged.Key, nil, "").wantError(t, 403, "ip_not_allowed")
	p.uploads(near.Key)
	export := p.ask("GET", "/api/invoices/export", near.Key, nil, "").want(t, 200)
	if n := bytes.Count(export.body, []byte("\n")); n != 5000 {
		t.Errorf("%d lines were exported, want 5000", n)
	}
	s.stop()
}

// run starts the proxy and waits until it passes requests on.
func (p *proxied) run(cmd *exec.Cmd, trusted func() *x509.CertPool) {
	p.t.Helper()
	var output lockedBuffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	p.t.Cleanup(func() {
		p.client.CloseIdleConnections()
		cmd.Process.Signal(os.Interrupt)
		<-exited
	})
	p.waitFor("the proxy", func() bool {
		select {
		case <-exited:
			p.t.Fatalf("%s ended:\n%s", cmd.Path, &output)
		default:
		}
		config := p.client.Transport.(*http.Transport).TLSClientConfig
		if config.RootCAs == nil {
			config.RootCAs = trusted()
		}
		if config.RootCAs == nil {
			return false
		}
		resp, err := p.client.Get(publicName + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == 200
	})
}

// uploads sends 80 MiB in one request and reads one file back by its link.
func (p *proxied) uploads(key string) {
	p.t.Helper()
	list := data[struct {
		Items []struct{ UID string } `json:"items"`
	}](p.t, p.ask("GET", "/api/invoices?per_page=1", key, nil, "").want(p.t, 200))
	content := make([]byte, 20<<20)
	rand.Read(content)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for n := range 4 {
		part, err := form.CreateFormFile("files", fmt.Sprintf("scan-%d.bin", n))
		if err != nil {
			p.t.Fatal(err)
		}
		part.Write(content)
	}
	form.Close()
	made := p.ask("POST", "/api/invoices/"+list.Items[0].UID+"/attachment", key, &body, form.FormDataContentType()).want(p.t, 201)
	_, link, ok := strings.Cut(string(made.body), `"presigned_url":"`+publicName)
	if !ok {
		p.t.Fatalf("no link to the public name: %.500s", made.body)
	}
	link, _, _ = strings.Cut(link, `"`)
	if got := p.ask("GET", link, "", nil, "").want(p.t, 200).body; sha256.Sum256(got) != sha256.Sum256(content) {
		p.t.Errorf("%d bytes came back that are not the file", len(got))
	}
}

// ask sends one request through the proxy, with an address that the client made up.
func (p *proxied) ask(method, path, key string, body io.Reader, contentType string) answer {
	p.t.Helper()
	req, err := http.NewRequest(method, publicName+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", forgedIP)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	if resp.ProtoMajor != 2 {
		p.t.Errorf("%s %s by %s, want HTTP/2", method, path, resp.Proto)
	}
	return answer{resp.StatusCode, resp.Header, text}
}

// clientOf reaches every name at one address, from clientIP.
func clientOf(address string) *http.Client {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(clientIP)}}
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
	}}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
