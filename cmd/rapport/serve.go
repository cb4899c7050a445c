package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"rapport/internal/clock"
	"rapport/internal/core/condition"
	"rapport/internal/fault"
	"rapport/internal/program"
)

type serveCmd struct {
	Data        string       `required:"" type:"path" help:"Data directory; made if it is not there."`
	Listen      string       `default:"127.0.0.1:8080" help:"Address to listen on."`
	Definitions string       `type:"path" help:"Folder of definitions to put in force. Default: those in force already, or none."`
	SMTP        string       `placeholder:"HOST:PORT" help:"Mail server to send through. Default: mail is kept by a built-in catcher and leaves for nobody."`
	Sending     sendingFlags `embed:""`
	Mailing     mailingFlags `embed:""`
	Adopt       bool         `help:"Send although the data directory is a copy or was set back: you vouch that no other instance of it runs or will."`
	EpochFile   string       `type:"path" placeholder:"FILE" help:"File on another disk that tells when this one is set back to a snapshot. Default: none; a copied directory is noticed all the same."`
	OpenPages   bool         `help:"Show the pages about customers, caught mails and /metrics to other machines too. They ask nobody who they are: only behind a proxy that does."`
	Warehouse   string       `enum:"duckdb,none" default:"duckdb" help:"Where reports, SQL and models find what happened: duckdb, in the data directory, or none. None deletes what is there; it is made anew when it is wanted again."`
	Placing     placing      `embed:""`
	PublicURL   string       `placeholder:"URL" help:"Where customers reach this server, for links in messages. Default: http://LISTEN."`
}

// Run serves until it is told to stop, and then ends in order.
func (c *serveCmd) Run(ctx context.Context, e *env) (err error) {
	clock := clock.Wall()
	if _, err := newProxies(c.Placing.TrustedProxy, c.Placing.PeerHeader); err != nil {
		return err // before keys are shown, which happens once
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "cannot listen on "+c.Listen)
	}
	defer listener.Close()
	if c.Definitions != "" { // keys are shown once: not by a start that cannot succeed
		if err := mustCompile(c.Definitions); err != nil {
			return err
		}
	}
	d, err := openDirectory(ctx, c.Data, opening{clock: clock, create: true, logger: e.logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.openTables(ctx, c.Warehouse, e.logger); err != nil {
		return err
	}
	for _, k := range d.fresh {
		fmt.Fprintf(e.out, "%s key (%s), shown once: %s\n", k.Kind, k.Name, k.Text)
	}
	public := c.PublicURL
	if public == "" {
		public = "http://" + listener.Addr().String()
	}

	doubt, err := mayTakeOver(c.Data, c.EpochFile, c.Adopt)
	if err != nil {
		return err
	}
	if doubt != "" {
		fmt.Fprintf(e.err, "Nothing is sent: %s may not be the only instance; %s. Events are taken as always. If no other instance of it runs, start with --adopt.\n", c.Data, doubt)
	}
	s := &server{d: d, clock: clock, public: public, logger: e.logger, openPages: c.OpenPages, silent: doubt != ""}
	if err := c.Placing.prepare(s); err != nil {
		return err
	}
	if err := s.prepareSending(c.Sending); err != nil {
		return err
	}
	switch {
	case c.Mailing.Email == "":
		err = s.mail(c.SMTP, nil)
	case c.SMTP == "":
		err = s.mailBy(&c.Mailing)
	default:
		err = fmt.Errorf("%w: %w", errMisuse, errTwoCarriers)
	}
	if err != nil {
		return err
	}
	if err := s.open(ctx, c.Definitions); err != nil {
		return errors.Join(err, s.close(ctx))
	}
	if err := s.node.Start(ctx); err != nil {
		return errors.Join(err, s.close(ctx))
	}
	stopKeeping := s.keep(ctx)
	defer stopKeeping()
	d.tables.start(ctx)
	if err := s.startSending(ctx); err != nil {
		return errors.Join(err, s.close(ctx))
	}
	s.announce(e)
	if err := s.desk.GoOn(); err != nil {
		s.logger.Error("an import that was cut short cannot be gone on with", "error", err)
	}
	s.ready()
	defer s.predictDaily(ctx)()
	stopReports := s.sendScheduled(ctx)
	defer stopReports()
	served := make(chan error, 1)
	server := newHTTP(s)
	server.RegisterOnShutdown(s.live.Close) // who watches would hold the stop up
	go func() { served <- server.Serve(listener) }()
	s.invite(e.out)
	fmt.Fprintf(e.out, "rapport %s listens on http://%s\n", version, listener.Addr())
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopFor)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		server.Close()
	}
	stopReports() // what carries its mails is closed next
	return errors.Join(err, s.close(context.WithoutCancel(ctx)))
}

// mustCompile fails with the mistakes of the definitions in a folder.
func mustCompile(folder string) error {
	src, err := definitions(folder)
	if err != nil {
		return err
	}
	var mistakes []string
	_, problems := program.Compile(src, program.Options{Workspace: workspace, Known: &condition.Known{Predictions: predicted()}})
	for _, p := range problems {
		if !p.Warning {
			mistakes = append(mistakes, p.Error())
		}
	}
	if len(mistakes) > 0 {
		return fault.New(fault.Invalid, strings.Join(mistakes, "\n"))
	}
	return nil
}

// stopFor is how long requests under way may take at a stop.
const stopFor = 10 * time.Second

// The limits of the HTTP server: a slow sender must not hold a connection for
// ever, and headers are not bodies.
const (
	readHeader = 10 * time.Second
	readBody   = 60 * time.Second
	idle       = 2 * time.Minute
	maxHeader  = 64 << 10
)

func newHTTP(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: readHeader, ReadTimeout: readBody, IdleTimeout: idle, MaxHeaderBytes: maxHeader}
}
