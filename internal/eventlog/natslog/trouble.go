package natslog

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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

const (
	fullMessage   = "the disk of the log is full: make space, and it goes on by itself"
	failedMessage = "the disk of the log has failed: check it, then start the process again"
)

// retryPause is the least time between two attempts to start again on a disk
// that was full. A start copies up to one block a lane; the pause keeps that off
// the path of requests that are refused anyway.
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
		if probe := probeSpace(l.dir); errors.As(probe, &no) && isFull(no) {
			return &trouble{message: fullMessage, cause: fmt.Errorf("%w (%w)", err, probe)}
		}
	}
	return &trouble{lasting: true, message: failedMessage, cause: err}
}

// probeSpace tries to make a file with a page of content.
func probeSpace(dir string) error {
	f, err := os.CreateTemp(dir, "probe-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	_, err = f.Write(make([]byte, 4096))
	return err
}

// isSync reports whether err is that of a failed fsync.
func isSync(err error) bool {
	var op *fs.PathError
	return errors.As(err, &op) && op.Op == "sync"
}

func isFull(no syscall.Errno) bool { return no == syscall.ENOSPC || no == syscall.EDQUOT }

// diskFault translates an error of opening into a fault.
func diskFault(err error, message string) error {
	var no syscall.Errno
	if errors.As(err, &no) && isFull(no) {
		return fault.Wrap(fault.Unavailable, err, message+": the disk is full")
	}
	return fault.Wrap(fault.Unavailable, err, message)
}

// listener is the server's log. It passes on what is worth reading, and watches
// for errors of storage: a publisher whose record could not be written gets no
// answer from the server, only silence.
type listener struct {
	say  *slog.Logger
	hear func(err error) // called with each error of the file system; nil once the engine is stopped
}

func (s *listener) Noticef(format string, v ...any) { s.say.Debug(fmt.Sprintf(format, v...)) }
func (s *listener) Debugf(format string, v ...any)  {}
func (s *listener) Tracef(format string, v ...any)  {}
func (s *listener) Warnf(format string, v ...any)   { s.say.Warn(fmt.Sprintf(format, v...)) }
func (s *listener) Fatalf(format string, v ...any)  { s.Errorf(format, v...) }

// Errorf looks at the arguments, not at the words.
func (s *listener) Errorf(format string, v ...any) {
	s.say.Error(fmt.Sprintf(format, v...))
	for _, arg := range v {
		if err, ok := arg.(error); ok {
			var no syscall.Errno
			if errors.As(err, &no) {
				s.hear(err)
			}
		}
	}
}
