package sender

import (
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// The rules by which mailbox providers judge a domain (Google and Yahoo,
// February 2024): complaints over delivered mails.
const (
	// Window is the span over which complaints are counted.
	Window = 24 * time.Hour
	// MinDelivered is how many mails must have been delivered in it before a rate
	// means anything.
	MinDelivered = 1_000
	// WarnAt and PauseAt are complaints per 100,000 delivered: 0.1 % is what
	// providers ask to stay below, 0.3 % is what they never forgive.
	WarnAt  = 100
	PauseAt = 300
)

const hours = int(Window / time.Hour)

// hour is what happened to a domain's mail in one hour.
type hour struct {
	At        int64 `json:"at"` // hours since 1970
	Sent      int   `json:"sent,omitempty"`
	Marketing int   `json:"marketing,omitempty"` // of Sent
	Complaint int   `json:"complaints,omitempty"`
}

// count is the traffic of one domain.
type count struct {
	Hours   []hour        `json:"hours"` // the newest last, at most hours+1
	Day     int64         `json:"day"`   // days since 1970 that Today counts
	Today   int           `json:"today"` // marketing sent on that day
	booked  map[int64]int // by hour to come: messages that were told to come then
	granted map[int64]int // of the present hour: messages that may leave, counted as sent or not yet
}

// Traffic counts what leaves and what comes back, by domain, and keeps the counts
// in the data directory. A crash loses what was counted since the last Save:
// some seconds. It may be used from many goroutines.
type Traffic struct {
	path string
	book *Book
	now  func() time.Time
	log  func(message string, domain string, err error) // told of pauses and warnings

	mu      sync.Mutex
	domains map[string]*count
	changed bool
}

type traffic struct {
	Version int               `json:"version"`
	Domains map[string]*count `json:"domains"`
}

// OpenTraffic reads the counts of a data directory. Alarm is told, in words for
// an operator, of each pause and warning.
func OpenTraffic(dir string, book *Book, now func() time.Time, alarm func(message, domain string, err error)) (*Traffic, error) {
	t := &Traffic{path: filepath.Join(dir, trafficFile), book: book, now: now, log: alarm, domains: map[string]*count{}}
	var content traffic
	if _, err := readJSON(t.path, &content); err != nil {
		return nil, err
	}
	for name, c := range content.Domains {
		if c != nil {
			t.domains[name] = c
		}
	}
	return t, nil
}

// Save keeps the counts.
func (t *Traffic) Save() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.changed {
		return nil
	}
	if err := writeJSON(t.path, traffic{fileVersion, t.domains}); err != nil {
		return err
	}
	t.changed = false
	return nil
}

// of returns the counts of a domain as they are now. The lock is held.
func (t *Traffic) of(domain string, now time.Time) *count {
	c := t.domains[domain]
	if c == nil {
		c = &count{}
		t.domains[domain] = c
	}
	h := now.Unix() / 3600
	if n := len(c.Hours); n == 0 || c.Hours[n-1].At < h {
		c.Hours = append(c.Hours, hour{At: h})
	}
	for len(c.Hours) > 0 && c.Hours[0].At <= h-int64(hours) {
		c.Hours = c.Hours[1:]
	}
	if day := now.Unix() / 86400; c.Day != day {
		c.Day, c.Today = day, 0
	}
	for _, m := range []map[int64]int{c.booked, c.granted} {
		for at := range m {
			if at < h {
				delete(m, at)
			}
		}
	}
	t.changed = true
	return c
}

// Sent counts mails that a server took.
func (t *Traffic) Sent(domain string, marketing bool, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.of(domain, t.now())
	last := &c.Hours[len(c.Hours)-1]
	last.Sent += n
	if marketing {
		last.Marketing += n
		c.Today += n
	}
}

// Complained counts a complaint, and warns or pauses the domain by its rate.
func (t *Traffic) Complained(domain string) {
	t.mu.Lock()
	c := t.of(domain, t.now())
	c.Hours[len(c.Hours)-1].Complaint++
	t.mu.Unlock()
	t.judge(domain)
}

// Rate returns how many mails were delivered and how many complaints came in the
// window, since the domain was last resumed.
func (t *Traffic) Rate(domain string) (delivered, complaints int) {
	d, err := t.book.Domain(domain)
	if err != nil {
		d = Domain{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	since := int64(0)
	if !d.Resumed.IsZero() {
		since = d.Resumed.Unix() / 3600
	}
	for _, h := range t.of(domain, t.now()).Hours {
		if h.At >= since {
			delivered += h.Sent
			complaints += h.Complaint
		}
	}
	return delivered, complaints
}

// judge pauses a domain of which people complain too much, and warns before.
func (t *Traffic) judge(domain string) {
	d, err := t.book.Domain(domain)
	if err != nil {
		return // not a domain of ours: nothing to pause
	}
	delivered, complaints := t.Rate(domain)
	if delivered < MinDelivered || !d.Paused.IsZero() {
		return
	}
	rate := itoa(complaints) + " complaints about " + itoa(delivered) + " mails in 24 hours"
	switch {
	case complaints*100_000 > PauseAt*delivered:
		t.pause(domain, rate+", more than 0.3 %")
	case complaints*100_000 > WarnAt*delivered && t.now().Sub(d.Warned) > Window:
		t.log("people complain about this domain: "+rate+", more than 0.1 %; at 0.3 % its marketing is paused", domain, t.book.warn(domain))
	}
}

// Refused notes that a receiver refused mail for the domain's standing or
// authentication: its marketing is paused until a person has looked.
func (t *Traffic) Refused(domain, why string) {
	why = redacted(why)
	if _, err := t.book.Domain(domain); err == nil {
		t.pause(domain, "a receiver refuses the domain: "+why)
	} else {
		t.log("a receiver refuses this domain, which is not set up here: "+why, domain, nil)
	}
}

// redacted takes addresses out of a server's words: the reason of a pause is kept
// for as long as nobody lifts it, and must not outlive an erasure.
func redacted(words string) string {
	fields := strings.Fields(words)
	for i, f := range fields {
		if strings.Contains(f, "@") {
			fields[i] = "<…>"
		}
	}
	return strings.Join(fields, " ")
}

func (t *Traffic) pause(domain, why string) {
	fresh, err := t.book.Pause(domain, why)
	if fresh || err != nil {
		t.log("marketing of this domain is paused: "+why+". Look into it, then: rapport domain resume "+domain, domain, err)
	}
}

// pausedFor is how long marketing of a paused domain waits before it asks again.
const pausedFor = time.Hour

// maxBooked bounds for how many hours ahead messages are told when to come.
const maxBooked = 24

// Wait returns how long a message of marketing must wait for its domain, and why;
// zero lets it go. The answer is a promise as far as it goes: room is booked for
// it in the hour that it is told. Nobody is left out: only when is decided here.
func (t *Traffic) Wait(domain string) (time.Duration, string) {
	d, err := t.book.Domain(domain)
	if err != nil {
		return 0, "" // what is not set up has no pace; whether it may send is the guard's to say
	}
	now := t.now()
	if !d.Paused.IsZero() {
		return pausedFor, "marketing of " + domain + " is paused: " + d.Why
	}
	if d.Hourly == 0 && len(d.Warm) == 0 {
		return 0, ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.of(domain, now)
	this := now.Unix() / 3600
	for ahead := range int64(maxBooked) {
		h := this + ahead
		room := d.room(h, c)
		if c.booked == nil {
			c.booked, c.granted = map[int64]int{}, map[int64]int{}
		}
		if ahead == 0 {
			// Who was told to come in this hour is not known by name: the hour's room is for
			// whoever comes first, and the others are told another hour.
			if room == unlimited || max(c.granted[h], c.Hours[len(c.Hours)-1].Marketing) < room {
				c.granted[h]++
				return 0, ""
			}
			continue
		}
		if room == unlimited || c.booked[h] < room {
			c.booked[h]++
			// Spread over the hour, so that they do not all come at its first second.
			at := time.Unix(h*3600, 0).Add(time.Duration(c.booked[h]%3600) * time.Second)
			return at.Sub(now), "the pace of " + domain + " puts it off"
		}
	}
	return maxBooked * time.Hour, "the pace of " + domain + " puts it off"
}

const unlimited = -1

// room returns how many messages of marketing may leave in the hour. A day of the
// warm-up plan is spread over its 24 hours, the rest of a division to the first.
func (d *Domain) room(h int64, c *count) int {
	room := unlimited
	if d.Hourly > 0 {
		room = d.Hourly
	}
	if len(d.Warm) > 0 {
		day := int(h/24 - d.Began.Unix()/86400)
		if day < 0 {
			day = 0
		}
		if day < len(d.Warm) {
			of := d.Warm[day]
			share := of / 24
			if int(h%24) < of%24 {
				share++
			}
			// What an earlier hour of the day left over may go in this one.
			if h/24 == c.Day {
				due := 0
				for i := range h%24 + 1 {
					due += of / 24
					if int(i) < of%24 {
						due++
					}
				}
				now := c.Hours[len(c.Hours)-1]
				before := c.Today
				if now.At == h {
					before -= now.Marketing
				}
				share = max(share, due-before)
			}
			if room == unlimited || share < room {
				room = share
			}
		}
	}
	return room
}
