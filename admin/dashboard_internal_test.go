package admin

import (
	"errors"
	"net"
	"strings"
	"testing"

	"exante/admin/config"
	"exante/auth"
	"exante/auth/uid"
)

func TestDashboardIsFoundWhereTheServerListens(t *testing.T) {
	at := func(address string) net.Addr {
		addr, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return addr
	}
	for _, c := range []struct {
		listen, public, cert string
		api                  net.Addr
		want                 string
	}{
		{"127.0.0.1:8080", "", "", nil, "http://127.0.0.1:8080"},
		{"127.0.0.1:0", "", "", at("127.0.0.1:41237"), "http://127.0.0.1:41237"},
		{"0.0.0.0:8080", "", "", nil, "http://localhost:8080"},
		{":8080", "", "", nil, "http://localhost:8080"},
		{":8080", "", "", at("[::]:8080"), "http://localhost:8080"},
		{"[::]:0", "", "", at("[::]:41237"), "http://localhost:41237"},
		{"[::1]:8080", "", "", at("[::1]:8080"), "http://[::1]:8080"},
		{"billing.lan:8443", "", "cert.pem", nil, "https://billing.lan:8443"},
		{"0.0.0.0:8443", "", "cert.pem", at("0.0.0.0:8443"), "https://localhost:8443"},
		{"127.0.0.1:8080", "https://billing.example.com/exante", "", at("127.0.0.1:8080"), "https://billing.example.com/exante"},
		{"127.0.0.1:0", "https://billing.example.com", "", nil, "https://billing.example.com"},
	} {
		conf := config.Defaults()
		conf.Server.Listen, conf.Server.PublicURL, conf.Server.TLSCert = c.listen, c.public, c.cert
		if got, err := dashboardURL(&conf, c.api); err != nil || got != c.want {
			t.Errorf("listen %q, public_url %q, runs at %v: %q, %v, want %q", c.listen, c.public, c.api, got, err, c.want)
		}
		conf.Dashboard.Enabled = false
		if got, err := dashboardURL(&conf, c.api); !errors.Is(err, config.ErrSetting) || got != "" || !strings.Contains(err.Error(), "dashboard.enabled: is false") {
			t.Errorf("without a dashboard it is at %q, %v", got, err)
		}
	}
	conf := config.Defaults()
	conf.Server.Listen = "127.0.0.1:0"
	if got, err := dashboardURL(&conf, nil); !errors.Is(err, config.ErrSetting) || got != "" || !strings.Contains(err.Error(), "server.listen: takes a free port") {
		t.Errorf("a port that is not known yet: %q, %v", got, err)
	}
}

// A link that ends up in a print or an error does not let anybody in.
func TestSetupLinkIsPrintedOnPurposeOnly(t *testing.T) {
	token, err := auth.MintSetup(auth.SetupName{OrgID: uid.ID{1}, UserID: uid.ID{2}, ID: uid.ID{3}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	link := setupURL("http://127.0.0.1:8080", token)
	if link.String() != "[redacted]" || link.Reveal() != "http://127.0.0.1:8080/setup/"+token.Reveal() {
		t.Errorf("the link prints as %s", link)
	}
	if back, ok := auth.ParseSetup(strings.TrimPrefix(link.Reveal(), "http://127.0.0.1:8080/setup/")); !ok || back.Name() != token.Name() {
		t.Error("the link does not lead to its token")
	}
}
