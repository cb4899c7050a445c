package bounce

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rapport/internal/channels"
)

// status reads the fields of RFC 3464.
func (m *mail) status() []Recipient {
	var list []Recipient
	for _, g := range fields(m.report) {
		address := addressOf(g.Get("Final-Recipient"))
		if original := addressOf(g.Get("Original-Recipient")); original != "" && !strings.Contains(address, "@") {
			address = original
		}
		if actual := addressOf(g.Get("X-Actual-Recipient")); address == "" {
			address = actual
		}
		action := strings.ToLower(strings.TrimSpace(g.Get("Action")))
		action, _, _ = strings.Cut(action, " ")
		if address == "" && action == "" && g.Get("Status") == "" && g.Get("Diagnostic-Code") == "" {
			continue
		}
		if len(list) == maxRecipients {
			break
		}
		words := diagnosis(g.Get("Diagnostic-Code"))
		r := Recipient{Address: address, Told: channels.Bounced, Failure: failure(words, statusIn(g.Get("Status")))}
		switch action {
		case "delayed":
			r.Told = channels.Delayed
		case "delivered", "relayed", "expanded", "deliverable":
			r.Told = channels.Delivered
		}
		m.complete(&r)
		m.temper(&r)
		list = append(list, r)
	}
	return list
}

// complete adds what the letter beside the fields says, when the fields say
// little: many servers put the other's words there and "failed" into the fields.
func (m *mail) complete(r *Recipient) {
	if r.Told != channels.Bounced && r.Told != channels.Delayed {
		return
	}
	if r.Detail != "" && (len(r.Detail) > 40 || r.Cause() == channels.Hard) && specific(r.Status) {
		return
	}
	about := m.around(r.Address)
	if about == "" {
		return
	}
	f := failure(about, "")
	if specific(r.Status) || f.Status == "" {
		f.Status = r.Status
	}
	if f.Code == 0 {
		f.Code = r.Code
	}
	f.Detail = channels.Clip(strings.TrimSpace(r.Detail + " " + f.Detail))
	r.Failure = f
}

// temper makes of a hard failure a soft one where the letter or the address says
// that the mailbox exists.
func (m *mail) temper(r *Recipient) {
	if r.Cause() != channels.Hard {
		return
	}
	said := rejected.FindStringSubmatch(m.text)
	switch {
	case said != nil && (channels.Failure{Code: 550, Detail: channels.Clip(said[1])}).Cause() == channels.Soft:
		r.Status, r.Detail = "5.2.0", channels.Clip(strings.TrimSpace(said[1]))
	case strings.Contains(m.text, "account is disabled"):
		r.Status, r.Detail = "5.2.1", channels.Clip("the account is disabled: "+r.Detail)
	case strings.Contains(m.head.Get("From"), ".mxlogic.net>"): // a filter before the mailbox, which says so of what it filters
		r.Status = "5.2.0"
	}
}

// rejected finds what a person's own rule answers.
var rejected = regexp.MustCompile(`(?i)automatically rejected:\s*([^\n]{1,200})`)

// around returns the lines of the letter that speak of an address: what follows
// its mention up to the next empty line but one, else the whole letter.
func (m *mail) around(address string) string {
	text := m.text
	if address != "" {
		if i := strings.Index(strings.ToLower(text), strings.ToLower(address)); i >= 0 {
			text = text[i:]
		}
	}
	return text[:min(len(text), maxWords)]
}

// maxWords bounds what is looked at of the words about one address.
const maxWords = 4 << 10

// addressOf returns the address of a field such as "rfc822; ada@shop.example".
func addressOf(field string) string {
	if _, after, ok := strings.Cut(field, ";"); ok {
		field = after
	}
	return bare(field)
}

// bare strips what is written around an address.
func bare(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		if j := strings.IndexByte(s[i:], '>'); j > 0 {
			s = s[i+1 : i+j]
		}
	}
	s, _, _ = strings.Cut(s, " ")
	s = strings.Trim(s, `<>"'.,;:()`)
	s = strings.TrimPrefix(strings.TrimPrefix(s, "mailto:"), "smtp:")
	if len(s) > maxAddress || strings.Count(s, "@") > 1 {
		return ""
	}
	return s
}

// maxAddress is the longest address that RFC 5321 allows, and some room.
const maxAddress = 320

// diagnosis returns the words of a Diagnostic-Code without its type.
func diagnosis(s string) string {
	if kind, after, ok := strings.Cut(s, ";"); ok && len(kind) < 40 {
		return strings.TrimSpace(after)
	}
	return s
}

var (
	enhanced = regexp.MustCompile(`(?:^|[^0-9.])([245]\.\d{1,3}\.\d{1,3})(?:[^0-9.]|\.?(?:$|[^0-9]))`)
	code     = regexp.MustCompile(`(?:^|[^0-9.\[/:-])([245][0-5]\d)(?:$|[ \t\-)>:;,"'\]]|\n)`)
)

// failure reads the words of a server. The status is what a field says; the
// words may know better.
func failure(words, status string) channels.Failure {
	f := channels.Failure{Status: status, Detail: channels.Clip(strings.Join(strings.Fields(telling(words)), " "))}
	said := statusIn(words)
	switch {
	case said != "" && (!specific(status) || specific(said) && said[0] >= '4' && said[2:] != "0.0"):
		f.Status = said
	case status == "":
		f.Status = said
	}
	for _, c := range code.FindAllStringSubmatch(words, 4) {
		n, err := strconv.Atoi(c[1])
		if err != nil || n < 200 {
			continue // unreachable: three digits
		}
		if f.Status == "" || int(f.Status[0]-'0') == n/100 {
			f.Code = n
			break
		}
	}
	return f
}

// telling returns the words from the line on in which a server's code stands, if
// that is so far behind that it would be cut off.
func telling(words string) string {
	at := len(words)
	for _, r := range []*regexp.Regexp{enhanced, code} {
		if i := r.FindStringIndex(words); i != nil {
			at = min(at, i[0])
		}
	}
	if at < channels.MaxDetail*2/3 || at == len(words) {
		return words
	}
	return words[strings.LastIndexByte(words[:at], '\n')+1:]
}

// statusIn returns the first RFC 3463 status of a text.
func statusIn(s string) string {
	if m := enhanced.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// specific reports whether a status says more than that it failed.
func specific(status string) bool {
	return status != "" && !slices.Contains([]string{"5.0.0", "4.0.0", "5.3.0", "5.5.0", "5.1.0", "5.4.0", "5.9.9"}, status) && !strings.HasSuffix(status, ".0.0")
}
