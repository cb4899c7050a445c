package natslog

import (
	"errors"
	"fmt"
	"log/slog"
	"syscall"
)

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
