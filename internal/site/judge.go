package site

import (
	"hash/fnv"
	"strings"
	"time"
)

// Actor is whom a hit is taken for.
type Actor string

// The actors. Nothing is decided, scored or won by Machine; what cannot be told
// is Unknown and not guessed.
const (
	Human   Actor = "human"
	Machine Actor = "machine"
	Unknown Actor = "unknown"
)

// Hit is one request for a picture or a link of a delivery.
type Hit struct {
	Delivery string
	Link     string // where it leads; empty for the picture
	At       time.Time
	Head     bool   // HEAD: nobody reads what it answers
	Prefetch bool   // the client says that it fetches ahead
	Honeypot bool   // the link that no person sees
	Agent    string // User-Agent
}

// The judge's measures.
const (
	// burst is how soon after one link a person cannot have followed another.
	burst = 2 * time.Second
	// burstFor is how long after the last sign of a machine a delivery's hits stay
	// a machine's: a scanner that has begun goes on. A person who comes later is
	// judged anew.
	burstFor = 30 * time.Second
	// maxTraces bounds the deliveries that are remembered, each some 150 bytes.
	maxTraces = 50_000
)

// Judge tells people's hits from machines'. It looks at the request itself, and
// at what else happened to the same delivery around it. What it says depends on
// the hits and their instants alone. It is used by one goroutine at a time. Make
// one with [NewJudge].
type Judge struct {
	traces map[string]*trace
	order  []string // deliveries by their first hit; the oldest is forgotten first
}

// trace is what happened to one delivery lately.
type trace struct {
	link    uint64 // hash of the newest link
	at      time.Time
	from    time.Time // the burst began
	machine time.Time // hits up to here are a machine's
}

// NewJudge returns a judge that has seen nothing.
func NewJudge() *Judge { return &Judge{traces: map[string]*trace{}} }

// Note remembers a hit. Hits are noted in the order of their instants.
func (j *Judge) Note(h Hit) {
	t := j.traces[h.Delivery]
	if t == nil {
		if len(j.order) == maxTraces {
			delete(j.traces, j.order[0])
			j.order = j.order[1:]
		}
		t = &trace{}
		j.traces[h.Delivery] = t
		j.order = append(j.order, h.Delivery)
	}
	sign := h.Honeypot
	if h.Link != "" || h.Honeypot {
		link := hash(h.Link)
		near := !t.at.IsZero() && h.At.Sub(t.at) <= burst
		if near && link != t.link {
			sign = true
		}
		if !near && !h.At.Before(t.machine) {
			t.from = h.At
		}
		t.link, t.at = link, h.At
	}
	if t.from.IsZero() {
		t.from = h.At
	}
	if sign || !t.machine.IsZero() && h.At.Before(t.machine) && h.Link != "" {
		t.machine = h.At.Add(burstFor)
	}
}

// Judge says whom the hit is taken for, after everything that was noted. Asked
// two seconds after the hit it knows what followed.
func (j *Judge) Judge(h Hit) Actor {
	if h.Head || h.Prefetch || h.Honeypot || scanner(h.Agent) {
		return Machine
	}
	if t := j.traces[h.Delivery]; t != nil && !t.machine.IsZero() && h.At.Before(t.machine) && !h.At.Before(t.from.Add(-burst)) {
		return Machine
	}
	if proxy(h.Agent) || !browser(h.Agent) {
		return Unknown
	}
	return Human
}

// Forget drops deliveries whose last hit is so long ago that it changes no
// verdict.
func (j *Judge) Forget(now time.Time) {
	for len(j.order) > 0 {
		t := j.traces[j.order[0]]
		if now.Sub(t.at) <= burst || now.Sub(t.from) <= burst || now.Before(t.machine.Add(burst)) {
			return
		}
		delete(j.traces, j.order[0])
		j.order = j.order[1:]
	}
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// scanners are parts of User-Agents, in lower case, of programs that fetch
// without a person: link checkers of mail gateways, previews of messengers,
// crawlers, and the tools they are made with.
var scanners = []string{
	"bot/", "bot;", "bot)", "crawl", "spider", "slurp", "scanner", "preview", "headless", "phantomjs", "puppeteer", "playwright", "selenium",
	"proofpoint", "mimecast", "barracuda", "safelinks", "existence discovery", "protocol discovery", "fireeye", "trendmicro", "symantec",
	"sophos", "ironport", "bitdefender", "urldefense", "checkpoint", "zscaler", "forcepoint", "messagelabs",
	"facebookexternalhit", "whatsapp", "skypeuripreview", "slack-imgproxy", "embedly", "google-safety", "apis-google",
	"curl", "wget", "python", "go-http-client", "java/", "okhttp", "libwww", "axios", "node-fetch", "httpclient", "monitor",
}

// scanner reports whether the agent is a program's. Apple's privacy protection
// fetches every picture on arrival and calls itself "Mozilla/5.0" and no more.
func scanner(agent string) bool {
	if agent == "" || agent == "Mozilla/5.0" {
		return true
	}
	lower := strings.ToLower(agent)
	for _, s := range scanners {
		if strings.Contains(lower, s) {
			return true
		}
	}
	return false
}

// proxy reports whether the agent fetches pictures when a person opens the mail,
// or ahead of it: it does not say.
func proxy(agent string) bool {
	return strings.Contains(agent, "GoogleImageProxy") || strings.Contains(agent, "YahooMailProxy")
}

// browser reports whether the agent looks like a browser or a mail program that
// shows mail as one.
func browser(agent string) bool {
	return strings.HasPrefix(agent, "Mozilla/5.0 (") || strings.HasPrefix(agent, "Opera/") || strings.HasPrefix(agent, "Thunderbird/")
}
