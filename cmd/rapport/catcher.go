package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"rapport/internal/fault"
	"rapport/internal/mailcatcher"
)

type catcherCmd struct {
	Listen string `default:"127.0.0.1:1025" placeholder:"HOST:PORT" help:"Address of this machine to take mail on, for rapport serve --smtp and send-test --smtp. Default: ${default}."`
	Pages  string `default:"127.0.0.1:8025" placeholder:"HOST:PORT" help:"Address of this machine to show it on. Default: ${default}."`
}

// Run takes mail until it is told to stop, and then forgets it. Both addresses are
// of the loopback: whoever reaches them reads everybody's mail.
func (c *catcherCmd) Run(ctx context.Context, e *env) (err error) {
	host, _, err := net.SplitHostPort(c.Pages)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%w: --pages is an address of this machine, such as 127.0.0.1:8025", errMisuse)
	}
	catcher, err := mailcatcher.New(mailcatcher.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, catcher.Close()) }()
	if err := catcher.Listen(c.Listen); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Pages)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot listen on "+c.Pages)
	}
	server := newHTTP(catcher.Handler(""))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(e.out, "mail is taken on %s and shown on http://%s/\n", catcher.Addr(), listener.Addr())
	select {
	case <-ctx.Done():
	case err = <-served:
		return err
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopFor)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
