package natslog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"rapport/internal/fault"
)

// trouble is why nothing can be appended.
type trouble struct {
	lasting bool   // only a new process helps; otherwise another engine may be tried
	message string // what to say, safe to show
	cause   error
}

// spaceToGoOn is how much room there must be before appending goes on: a block of
// the server. With less it would fail again at once.
const spaceToGoOn = 8 << 20

const (
	fullMessage   = "the disk of the log is full: make space, and it goes on by itself"
	lostMessage   = "the connection to the log's server was lost: it is made again by itself"
	failedMessage = "the disk of the log has failed: check it, then start the process again"
)

// retryPause is the least time between two attempts to start again on a disk
// that was full. A start takes some ten milliseconds; the pause keeps that off the
// path of requests that are refused anyway.
const retryPause = time.Second

// err returns what an Append in trouble answers.
func (t *trouble) err() error {
	return &fault.Error{Kind: fault.Unavailable, Message: t.message, Cause: t.cause}
}

// fail notes trouble with the engine and ends the calls that wait for it. The
// first trouble counts, unless a worse one follows: a disk that was only full
// and then fails an fsync has failed.
func (l *Log) fail(e *engine, t *trouble) {
	for {
		old := l.failed.Load()
		if old != nil && (old.lasting || !t.lasting) {
			break
		}
		if l.failed.CompareAndSwap(old, t) {
			l.say.Error("the log cannot write", "why", t.message, "cause", t.cause)
			break
		}
	}
	e.endOnce.Do(func() { close(e.ended) })
}

// troubleOf judges an error of storage. Only a write that was refused for want
// of space is harmless: the page cache holds nothing that the disk does not get.
// After a failed fsync the kernel calls pages clean that were never written, so
// whatever the cause, nothing read back proves anything.
func (l *Log) troubleOf(err error) *trouble {
	var no syscall.Errno
	switch {
	case isSync(err):
	case errors.As(err, &no):
		if isFull(no) {
			return &trouble{message: fullMessage, cause: err}
		}
	default:
		// The server has put some errors into words and lost what they were (that
		// of creating a block, for instance): ask the disk itself.
		if probe := probeSpace(l.dir, 1); errors.As(probe, &no) && isFull(no) {
			return &trouble{message: fullMessage, cause: fmt.Errorf("%w (%w)", err, probe)}
		}
	}
	return &trouble{lasting: true, message: failedMessage, cause: err}
}

// probeSpace tries to make a file of so many bytes.
func probeSpace(dir string, bytes int) error {
	f, err := os.CreateTemp(dir, "probe-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	_, err = f.Write(make([]byte, bytes))
	return err
}

// isSync reports whether err is that of a failed fsync.
func isSync(err error) bool {
	var op *fs.PathError
	return errors.As(err, &op) && op.Op == "sync"
}

func isFull(no syscall.Errno) bool { return no == syscall.ENOSPC || no == syscall.EDQUOT }

// running returns the engine to write through. If the last one has ended it
// starts another, at most once in retryPause. After a full disk those who make the
// log grow are refused until there is space; those who make it smaller are not.
func (l *Log) running(grow bool) (*engine, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return nil, errClosed()
	}
	t := l.failed.Load()
	ended := l.engine == nil || l.engine.hasEnded()
	switch {
	case t == nil && !ended:
		return l.engine, nil
	case t == nil: // it failed while what was wrong before was being cleared
		t = &trouble{message: lostMessage}
	case t.lasting:
		return nil, t.err()
	}
	if grow {
		if time.Now().Before(l.probeAt) {
			return nil, t.err()
		}
		l.probeAt = time.Now().Add(retryPause)
		if probeSpace(l.dir, spaceToGoOn) != nil {
			return nil, t.err()
		}
	}
	if ended {
		if err := l.restart(); err != nil {
			l.say.Warn("the log cannot start again yet", "cause", err)
			return nil, t.err()
		}
	}
	if grow && l.failed.CompareAndSwap(t, nil) {
		l.say.Info("the log can write again", "after", t.message)
	}
	return l.engine, nil
}

// restart exchanges the engine. l.mu is held.
func (l *Log) restart() error {
	if time.Now().Before(l.startAt) {
		return errors.New("it was tried a moment ago")
	}
	l.startAt = time.Now().Add(retryPause)
	if l.engine != nil {
		l.engine.stop()
		l.engine = nil
	}
	// Not the caller's context: others wait for the same start.
	err := l.start(l.ctx, false)
	if isSync(err) {
		l.failed.Store(&trouble{lasting: true, message: failedMessage, cause: err})
	}
	return err
}

// why returns why an engine has ended.
func (l *Log) why() error {
	if l.ctx.Err() != nil {
		return errClosed()
	}
	if t := l.failed.Load(); t != nil {
		return t.err()
	}
	return fault.New(fault.Unavailable, "the log was started again meanwhile: send again")
}
