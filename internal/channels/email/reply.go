package email

import (
	"bufio"
	"errors"
	"strings"
	"time"

	"rapport/internal/channels"
)

// How long to leave a server alone that said "later" without saying when; SMTP
// has no way to say it.
const (
	retryConnection = 30 * time.Second // no connection, or it broke: servers restart in seconds
	retrySigning    = 5 * time.Minute  // our own keys cannot be read: somebody must look, and needs a moment
	retryClosing    = time.Minute      // 421: the server is closing the connection
	retryGreylist   = 5 * time.Minute  // 450, 451: greylisting; five minutes is the usual span (RFC 6647 §2.3)
	retryFull       = 15 * time.Minute // 452 and the rest: space or load must change
)

// Limits on what a server may say. RFC 5321 allows a line 512 octets; servers
// write more.
const (
	maxReplyLine  = 2048
	maxReplyLines = 100
)

// errReply is returned for bytes that are not an SMTP reply.
var errReply = errors.New("the server's answer is not an SMTP reply")

// errNoMessage ends a connection on which the server waits for a message that
// we must not send.
var errNoMessage = errors.New("the server refused the recipient and asked for the message all the same")

// reply is a server's answer to one command. Text joins its lines.
type reply struct {
	code int
	text string
}

func (r reply) ok() bool { return r.code/100 == 2 }

// readReply reads one reply of one or more lines.
func readReply(r *bufio.Reader) (reply, error) {
	var out reply
	for n := 0; ; n++ {
		line, err := r.ReadSlice('\n')
		if err != nil {
			if errors.Is(err, bufio.ErrBufferFull) {
				err = errReply
			}
			return reply{}, err
		}
		if n == maxReplyLines || len(line) < 4 {
			return reply{}, errReply
		}
		code := 0
		for _, c := range line[:3] {
			if c < '0' || c > '9' {
				return reply{}, errReply
			}
			code = code*10 + int(c-'0')
		}
		if code < 200 || code > 599 || n > 0 && code != out.code {
			return reply{}, errReply
		}
		out.code = code
		sep, rest := line[3], ""
		if sep == ' ' || sep == '-' {
			rest = strings.TrimSpace(string(line[4:]))
		} else if sep != '\r' && sep != '\n' {
			return reply{}, errReply
		}
		if n == 0 {
			out.text = rest
		} else {
			out.text += "\n" + rest
		}
		if sep != '-' {
			return out, nil
		}
	}
}

// stage is the command that a reply answers: what it is about depends on it.
type stage uint8

const (
	atMail stage = iota // about the sender
	atRcpt              // about the recipient
	atData              // about the transaction
	atEnd               // about the message
)

// outcome says what a reply that is no success means for the message.
func outcome(at stage, r reply) channels.Outcome {
	o := channels.Outcome{Code: r.code, Enhanced: enhanced(r), Detail: channels.Clip(r.text)}
	if o.Detail == "" {
		o.Detail = "the server gave no reason"
	}
	switch {
	case r.code/100 == 5:
		o.State = channels.Rejected
		o.Hard = hard(at, r.code, o.Enhanced, r.text)
	default: // 4xx, and a 2xx or 3xx where it makes no sense: nothing was taken
		o.State = channels.Deferred
		switch r.code {
		case 421:
			o.RetryAfter = retryClosing
		case 450, 451:
			o.RetryAfter = retryGreylist
		default:
			o.RetryAfter = retryFull
		}
	}
	return o
}

// enhanced returns the RFC 3463 status at the start of the reply's text.
func enhanced(r reply) string {
	word, _, _ := strings.Cut(r.text, " ")
	word, _, _ = strings.Cut(word, "\n")
	dots, digits := 0, 0
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c >= '0' && c <= '9' && digits < 3:
			digits++
		case c == '.' && digits > 0:
			dots, digits = dots+1, 0
		default:
			return ""
		}
	}
	if dots != 2 || digits == 0 || int(word[0]-'0') != r.code/100 || word[1] != '.' {
		return ""
	}
	return word
}

// hard reports whether a permanent refusal says that the recipient's address is
// bad. What it says is judged as every other failure is; but an answer to MAIL is
// never about the recipient, one to the message only if its status says so, and a
// bare "550" to RCPT is.
func hard(at stage, code int, status, text string) bool {
	if at == atMail || at != atRcpt && !strings.HasPrefix(status, "5.1.") {
		return false
	}
	f := channels.Failure{Status: status, Code: code, Detail: text}
	if at == atRcpt && code == 550 {
		f.Says = channels.Hard
	}
	return f.Cause() == channels.Hard
}
