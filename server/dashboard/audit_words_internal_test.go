package dashboard

import (
	"testing"

	"exante/storage"
)

// An action that the store learns is put into words here.
func TestEveryActionHasWords(t *testing.T) {
	offered := map[storage.Action]bool{}
	for _, g := range deedGroups() {
		for _, a := range g.Actions {
			offered[a] = true
		}
	}
	for _, a := range storage.Actions() {
		ofInstance := a.Kind() == "store" || a.Kind() == "socket"
		if (deeds[a] == "") != ofInstance {
			t.Errorf("%s is %q in words", a, deeds[a])
		}
		if offered[a] == ofInstance {
			t.Errorf("%s can be filtered: %t", a, offered[a])
		}
	}
}

func TestBrowsersHaveNames(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":         "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15":                 "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604": "Safari on iPhone",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36":                          "Chrome on Android",
		"curl/8.5.0": "Curl", "Go-http-client/1.1": "A Go program", "": "Unknown browser", "Mozilla/5.0 (Windows NT 6.1)": "Unknown browser on Windows",
	} {
		if got := agentName(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}
