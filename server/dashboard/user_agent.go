package dashboard

import "strings"

// What a User-Agent header says, in the words of people. The first that is found
// counts: browsers name those before them (RFC 9110 §10.1.5), so the order matters.
var (
	browserMarks = [][2]string{
		{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"Vivaldi/", "Vivaldi"}, {"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"},
		{"HeadlessChrome/", "Chrome"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Version/", "Safari"},
		{"curl/", "curl"}, {"Go-http-client/", "a Go program"},
	}
	systemMarks = [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"},
		{"Macintosh", "macOS"}, {"Mac OS X", "macOS"}, {"FreeBSD", "FreeBSD"}, {"OpenBSD", "OpenBSD"}, {"Linux", "Linux"},
	}
)

// agentName is a browser and its system: "Firefox on Linux". It is what the browser
// says of itself, and proves nothing.
func agentName(agent string) string {
	name, system := named(agent, browserMarks), named(agent, systemMarks)
	switch {
	case name == "" && system == "":
		return "Unknown browser"
	case name == "":
		return "Unknown browser on " + system
	case system == "":
		return capital(name)
	}
	return name + " on " + system
}

func named(agent string, marks [][2]string) string {
	for _, mark := range marks {
		if strings.Contains(agent, mark[0]) {
			return mark[1]
		}
	}
	return ""
}
