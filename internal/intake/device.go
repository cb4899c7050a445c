package intake

import (
	"strings"

	"rapport/internal/core/event"
)

// The words by which user agents give themselves away, in small letters. Order
// matters between the lists, not within them: a television says Android, a tablet
// says Mobile, and whatever crawls says that it is a browser.
var (
	botWords = []string{
		"bot", "crawl", "spider", "slurp", "headless", "lighthouse", "pagespeed", "facebookexternalhit", "preview", "curl/", "wget/", "python-", "python/", "go-http-client",
		"scrapy", "phantomjs", "puppeteer", "playwright", "selenium", "monitor", "uptime", "feedfetcher", "mediapartners", "java/", "libwww", "httpclient", "axios/", "node-fetch", "postman",
	}
	tvWords = []string{
		"smart-tv", "smarttv", "googletv", "google tv", "appletv", "apple tv", "hbbtv", "netcast", "web0s", "webos.tv", "roku", "bravia", "crkey", "android tv", "tv safari", "philipstv",
		"aftb", "aftt", "aftm", "afts", "aftn", "aftk", "aftr", "viera", "dtv", "playstation", "xbox", "nintendo",
	}
	tabletWords = []string{"ipad", "tablet", "kindle", "playbook", "silk/", "nexus 7", "nexus 9", "nexus 10", "sm-t", "lenovo tb", "kftt", "touchpad"}
	appWords    = []string{"cfnetwork", "okhttp", "dalvik/", "dart:io", "alamofire"}
	phoneWords  = []string{"mobi", "iphone", "ipod", "android", "windows phone", "blackberry", "bb10", "opera mini", "iemobile", "kaios", "symbian"}
	deskWords   = []string{"windows nt", "macintosh", "x11", "cros ", "linux", "win64"}
)

// maxAgent bounds what of a user agent is looked at: real ones have 250 bytes.
const maxAgent = 1024

// DeviceClass returns the class of the device of a user agent: one of [event.Desktop]
// and its like; empty if it cannot be told. An iPad that asks for pages as a Mac
// does looks like a Mac.
func DeviceClass(agent string) string {
	s := strings.ToLower(agent[:min(len(agent), maxAgent)])
	switch {
	case s == "":
		return ""
	case hasAny(s, botWords):
		return event.Bot
	case hasAny(s, tvWords):
		return event.TV
	case hasAny(s, appWords):
		return event.App
	case hasAny(s, tabletWords), strings.Contains(s, "android") && !strings.Contains(s, "mobi"):
		return event.Tablet
	case hasAny(s, phoneWords):
		return event.Mobile
	case hasAny(s, deskWords):
		return event.Desktop
	}
	return ""
}

func hasAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// hints are the client hints that a browser sends with its request.
type hints struct{ mobile, form string }

// classOf returns the class of the device by all that an event and its request say:
// an app says so itself, hints are believed before the user agent, which is frozen
// in new browsers, and the agent of the event before that of the request.
func classOf(context event.Object, agent string, h hints) string {
	if context != "" {
		switch t := strings.ToLower(context.Text("device.type")); t {
		case event.Desktop, event.Mobile, event.Tablet, event.TV, event.App, event.Bot:
			return t
		case "ios", "android", "ipados", "watchos", "tvos":
			return event.App
		}
		if own := context.Text("userAgent"); own != "" {
			agent = own
		}
		if m, ok := context.Get("userAgentData.mobile"); ok {
			h.mobile = map[bool]string{true: "?1", false: "?0"}[m.Kind == event.True]
		}
	}
	class := DeviceClass(agent)
	if class == event.Bot || class == event.TV || class == event.App {
		return class
	}
	switch form := strings.ToLower(h.form); {
	case strings.Contains(form, "tablet"):
		return event.Tablet
	case strings.Contains(form, "mobile"):
		return event.Mobile
	case strings.Contains(form, "desktop"):
		return event.Desktop
	}
	switch {
	case h.mobile == "?1" && class != event.Tablet:
		return event.Mobile
	case class == "" && h.mobile == "?0":
		return event.Desktop
	}
	return class
}
