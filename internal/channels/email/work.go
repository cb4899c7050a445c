package email

import (
	"context"

	"rapport/internal/channels"
)

// work carries messages over one connection until the queue is empty.
//
// A message passes three points: its envelope (MAIL, RCPT, DATA) is answered,
// its last byte leaves, its final answer comes. If the connection breaks before
// the second, nothing was taken. A connection that had served before may just
// have been closed for idleness, so the message is then tried once more on a new
// one; else it is Deferred. Between the second and the third it is Unknown.
func (c *Channel) work(ctx context.Context, q *queue) {
	if !c.acquire(ctx, q) {
		return
	}
	defer func() { <-c.slots }()
	// The connection comes before the message: a worker that cannot connect takes
	// nothing from those that can.
	k, err := c.connect(ctx, false)
	if err != nil {
		q.failed(err)
		return
	}
	// Two jobs take turns: behind the body of one travels the envelope of the other.
	now, next := new(job), new(job)
	have, ahead := q.take(now), false // ahead: now's envelope is on its way
	for have {
		if k == nil {
			if k, err = c.connect(ctx, true); err != nil {
				q.out[now.i] = deferred(err.Error(), retryConnection)
				q.failed(err)
				return
			}
			ahead = false
		}
		served := k.used
		refused, err := k.envelope(c, now, ahead)
		ahead = false
		if err != nil || refused != nil && refused.Code == 421 {
			c.drop(k)
			k = nil
			if served && ctx.Err() == nil && (refused == nil || refused.Code == 421) {
				continue
			}
			if refused == nil {
				o := deferred("the connection broke before the message left: "+err.Error(), retryConnection)
				refused = &o
			}
		}
		if refused != nil {
			q.out[now.i] = *refused
			have = q.take(now)
			continue
		}
		var more *job
		if k.pipelining && q.take(next) {
			more = next
		}
		if q.out[now.i], err = k.body(c, now, more); err != nil {
			c.drop(k)
			k = nil
		}
		if have, ahead = more != nil, more != nil; have {
			now, next = next, now
		} else {
			have = q.take(now)
		}
	}
	if k != nil {
		c.release(k)
	}
}

// appendEnvelope appends the commands that precede a message.
func appendEnvelope(b []byte, j *job) []byte {
	b = append(b, "MAIL FROM:<"...)
	b = append(b, j.From.Local...)
	b = append(b, '@')
	b = append(b, j.From.Domain...)
	b = append(b, ">\r\nRCPT TO:<"...)
	b = append(b, j.To.Local...)
	b = append(b, '@')
	b = append(b, j.To.Domain...)
	return append(b, ">\r\nDATA\r\n"...)
}

// envelope brings the server to where it waits for the message. A refusal is
// returned as an outcome. An error means that the connection is of no more use;
// nothing of the message has left.
func (k *conn) envelope(c *Channel, j *job, ahead bool) (*channels.Outcome, error) {
	if !k.pipelining {
		return k.lockstep(c, j)
	}
	reset := k.reset && !ahead
	if !ahead {
		k.buf = k.buf[:0]
		if reset {
			k.buf = append(k.buf, "RSET\r\n"...)
		}
		k.buf = appendEnvelope(k.buf, j)
		k.within(c.o.Timeout)
		if _, err := k.nc.Write(k.buf); err != nil {
			return nil, err
		}
	}
	if reset {
		if _, err := k.read(c.o.Timeout); err != nil {
			return nil, err
		}
		k.reset = false
	}
	var o *channels.Outcome
	for at := atMail; at <= atData; at++ {
		r, err := k.read(c.o.Timeout)
		if err != nil {
			return o, err
		}
		k.used = true
		want := 2
		if at == atData {
			want = 3
		}
		switch {
		case o == nil && r.code/100 == want:
		case o == nil:
			refusal := outcome(at, r)
			o, k.reset = &refusal, true
			if r.code == 421 {
				return o, nil // the server closes: no more answers come
			}
		case at == atData && r.code == 354:
			// The server waits for a message that has no recipient. Breaking off is
			// the one way to say that there is none.
			return o, errNoMessage
		}
	}
	return o, nil
}

// lockstep is envelope for a server that takes one command at a time.
func (k *conn) lockstep(c *Channel, j *job) (*channels.Outcome, error) {
	if k.reset {
		if _, err := k.ask(c.o.Timeout, "RSET"); err != nil {
			return nil, err
		}
		k.reset = false
	}
	commands := [...]string{atMail: "MAIL FROM:<" + j.From.String() + ">", atRcpt: "RCPT TO:<" + j.To.String() + ">", atData: "DATA"}
	for at, command := range commands {
		r, err := k.ask(c.o.Timeout, command)
		if err != nil {
			return nil, err
		}
		k.used = true
		if stage(at) == atData && r.code == 354 || stage(at) != atData && r.ok() {
			continue
		}
		o := outcome(stage(at), r)
		k.reset = true
		return &o, nil
	}
	return nil, nil
}

// keepBuffer is the largest write buffer that a connection keeps.
const keepBuffer = 1 << 20

// body sends the message, its final dot and, behind it, the envelope of the next
// job if there is one, and reads the answer to the message. An error means that
// the connection is of no more use; the outcome is the truth in any case.
func (k *conn) body(c *Channel, j, next *job) (channels.Outcome, error) {
	if cap(k.buf) > keepBuffer {
		k.buf = nil
	}
	k.buf = stuff(k.buf[:0], j.Data)
	end := len(k.buf)
	if next != nil {
		k.buf = appendEnvelope(k.buf, next)
	}
	k.within(c.o.DataTimeout)
	if n, err := k.nc.Write(k.buf); err != nil {
		if n < end {
			return deferred("the connection broke before the whole message had left: "+err.Error(), retryConnection), err
		}
		return unknown(err), err
	}
	r, err := k.read(c.o.DataTimeout)
	switch {
	case err != nil:
		return unknown(err), err
	case r.ok():
		return channels.Outcome{State: channels.Accepted, Code: r.code, Enhanced: enhanced(r), Detail: channels.Clip(r.text)}, nil
	case r.code/100 == 3:
		return unknown(errReply), errReply
	}
	return outcome(atEnd, r), nil
}

// unknown is the outcome of a message whose last byte may have arrived.
func unknown(err error) channels.Outcome {
	return channels.Outcome{State: channels.Unknown, Detail: channels.Clip("the message left and no answer came: " + err.Error())}
}
