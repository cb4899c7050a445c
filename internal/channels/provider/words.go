package provider

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"rapport/internal/channels"
	"rapport/internal/fault"
)

// DeliveryKey is the name under which a delivery's id travels with the message at
// a provider (as a tag, variable or argument), and comes back in its webhooks.
// Postmark takes 20 letters at most.
const DeliveryKey = "rapport_delivery"

// JSON returns v as JSON in which HTML stays as it is. Every v that a protocol
// makes can be written.
func JSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("provider: a request that is no JSON: " + err.Error()) // unreachable: requests are strings, numbers and lists of them
	}
	return b.Bytes()
}

// FitBytes returns how many of the letters are together within the limits of one
// request. A letter that is too large by itself goes alone, to be refused alone.
func FitBytes(letters []Letter, most, size int) int {
	n, used := 0, 0
	for n < len(letters) && n < most {
		m := letters[n].Message
		used += 4<<10 + len(m.HTML) + len(m.Text) + (len(m.HTML)+len(m.Text))/4 // JSON doubles quotes and line breaks
		if n > 0 && used > size {
			break
		}
		n++
	}
	return max(n, 1)
}

// Required returns a fault of kind Invalid if a secret or name that an account
// needs is missing, or cannot stand in a header.
func Required(what, value string) error {
	if value == "" {
		return fault.New(fault.Invalid, what+" is missing")
	}
	for i := 0; i < len(value); i++ {
		if value[i] <= ' ' || value[i] > '~' {
			return fault.New(fault.Invalid, what+" has a space, a line break or a letter outside ASCII in it: it was not copied as it is")
		}
	}
	return nil
}

// A server's words begin with its reply code and an enhanced status, often behind
// "smtp;", and some repeat the status on each line.
var (
	replyCode  = regexp.MustCompile(`(?:^|[;\s])([245]\d\d)(?:[\s-]|$)`)
	statusCode = regexp.MustCompile(`(?:^|[\s;:(#\[-])([245]\.\d{1,3}\.\d{1,3})(?:[\s,;:)\].-]|$)`)
)

// maxWords bounds how much of a server's words is looked at: codes come first.
const maxWords = 1000

// Failed returns the failure that a server's words describe.
func Failed(words string, says channels.Cause) channels.Failure {
	f := channels.Failure{Detail: channels.Clip(words), Says: says}
	words = words[:min(len(words), maxWords)]
	if m := statusCode.FindStringSubmatch(words); m != nil {
		f.Status = m[1]
	}
	if m := replyCode.FindStringSubmatch(words); m != nil {
		f.Code, _ = strconv.Atoi(m[1]) // three digits
	}
	return f
}

// Status returns s if it is an RFC 3463 status, else what the failure has already.
func Status(s, otherwise string) string {
	if m := statusCode.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		return m[1]
	}
	return otherwise
}
