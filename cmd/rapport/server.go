package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rapport/internal/admin"
	"rapport/internal/api"
	"rapport/internal/channels"
	"rapport/internal/channels/email"
	"rapport/internal/clock"
	"rapport/internal/core/identity"
	"rapport/internal/hooks"
	"rapport/internal/imports"
	"rapport/internal/intake"
	"rapport/internal/intake/geoip"
	"rapport/internal/live"
	"rapport/internal/mailcatcher"
	"rapport/internal/predict"
	"rapport/internal/program"
	"rapport/internal/report"
	"rapport/internal/run"
	"rapport/internal/schedule"
	"rapport/internal/site"
	"rapport/internal/suggest"
	"rapport/internal/warehouse"
	"rapport/ui"
)

// server is a node with everything that listens.
type server struct {
	d      *directory
	clock  *clock.Clock
	public string // URL at which customers reach it
	logger *slog.Logger
	silent bool                     // nothing is sent: another instance of the directory may
	demo   func() *admin.DemoStatus // nil: this is no demo

	openPages bool                 // pages, caught mails and figures are for every machine
	hold      time.Duration        // how long clicks are held to be judged; 0: as the site does
	wall      func() time.Time     // by which clicks are judged; nil: the wall
	catcher   *mailcatcher.Catcher // nil: mail goes to a real server
	carrier   carrier
	hooks     *hooks.Server
	mailer    channels.Channel // the carrier, or what stands before it
	sending   *sending         // nil: no domain of ours answers for the mail, as in the demo
	node      *run.Node
	manage    *api.API
	site      *site.Site
	loader    *report.Loader
	signer    *site.Signer
	shops     *shops
	live      *live.Hub     // shows people what comes in
	desk      *imports.Desk // imports files that people upload
	predictor *predict.Runner
	scheduled *schedule.Runner             // sends the reports that colleagues asked for
	room      *suggest.Room                // what to show whom next
	current   atomic.Pointer[http.Handler] // nil: the server is not ready yet
	geo       *geoip.DB                    // nil: nobody tells the town of an address
	front     proxies                      // who may say for whom they ask
}

// ServeHTTP answers with the handler of the present node; before there is one,
// with a page that says so.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := s.current.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	if s.demo != nil && r.URL.Path == "/demo" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Refresh", "1")
		fmt.Fprintln(w, "<!doctype html><html lang=en><title>Rapport</title><p>The year is about to begin.</p>")
		return
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "starting", http.StatusServiceUnavailable)
}

// ready makes the handler of the present node the one that answers.
func (s *server) ready() {
	h := s.handler()
	s.current.Store(&h)
}

// mail sets up where mail goes: to a real server, or to the built-in catcher.
func (s *server) mail(addr string, reject func(rcpt string) *mailcatcher.Reply) error {
	world := addr != ""
	if !world {
		if err := s.catch(reject); err != nil {
			return err
		}
		addr = s.catcher.Addr()
	}
	carrier, err := email.New(email.Options{Addr: addr, Sign: s.sign()})
	if err != nil {
		return err
	}
	s.carrier = carrier
	s.mailer, err = s.outlet(world)
	return err
}

// open puts the node together and the definitions of a folder in force; an empty
// name keeps those that are, or takes the built-in ones.
func (s *server) open(ctx context.Context, folder string) error {
	var src *program.Source
	if folder != "" {
		var err error
		if src, err = definitions(folder); err != nil {
			return err
		}
		if err := s.d.takePictures(ctx, folder); err != nil {
			return err
		}
	}
	return s.openWith(ctx, src)
}

// openWith puts the node together and the definitions in force; nil keeps those
// that are, or takes the built-in ones.
func (s *server) openWith(ctx context.Context, src *program.Source) error {
	signer, err := site.NewSigner(s.public, workspace, site.Key{ID: 1, Secret: linkSecret(s.d.key)})
	if err != nil {
		return err
	}
	s.signer = signer
	if err := s.shops.close(); err != nil { // of the node before
		return err
	}
	if s.shops, err = openShops(ctx, s.d.dir, s.clock.Now, s.logger); err != nil {
		return err
	}
	if err := s.room.Close(); err != nil { // of the node before
		return err
	}
	s.room = s.newRoom()
	if s.live == nil {
		s.live = live.New(s.clock.Now)
	}
	if err := s.desk.Close(); err != nil { // of the node before
		return err
	}
	s.node, err = run.Open(ctx, run.Options{
		Log: s.d.log, Store: s.d.store, Ledger: s.d.ledger, Channels: map[string]channels.Channel{"email": s.mailer},
		Workspace: workspace, Key: s.d.key, Clock: s.clock, Links: signer, Logger: s.logger, NoSending: s.silent, Standing: s.standing(), Pace: s.pace(),
		Erasures: s.d.erasures, Forget: s.forget(), Clean: []run.Clean{s.shops.forget}, OwnCopy: signer.OwnCopy(), Products: goods{s.shops.keeper, s.room}, Tables: s.d.tables.forgetter(),
		Heard: s.heard, Refused: s.refused, Gone: s.room.Forget,
		Known: (&knowing{warehouse: func() warehouse.Warehouse { return s.d.tables.store() }}).known,
	})
	if err != nil {
		return err
	}
	s.room.Start(ctx)
	s.desk = imports.NewDesk(s.book(), s.node, s.d.ledger, s.logger)
	s.loader = report.New(s.d.store, s.d.log.Lanes())
	if src == nil && s.node.Engine.Program() == nil {
		src = program.Default()
	}
	if src != nil {
		problems, err := s.node.Apply(ctx, src)
		for _, p := range problems {
			s.logger.Warn("in the definitions", "problem", p.Error())
		}
		if err != nil {
			return err
		}
	}
	if err := s.openScheduled(); err != nil {
		return err
	}
	if s.manage, err = s.api(); err != nil {
		return err
	}
	s.site, err = site.New(site.Options{
		Signer: signer, Suppressor: s.node.Public(), Hearer: s.node.Public(), Preferences: s.node.Public(), Customers: s.node.Public(), Home: s.d.key.Home,
		Pictures: s.d.library(), Now: s.clock.Now, Wall: s.wall, Hold: s.hold, Log: s.logger,
	})
	return err
}

// mailsPath is where the pages of the built-in catcher are.
const mailsPath = "/mails"

// linkSecret is derived from the workspace's key, so that links in old mails work
// for as long as the workspace lives.
func linkSecret(key identity.Key) (secret [32]byte) {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte("links\x001"))
	h.Sum(secret[:0])
	return secret
}

// handler returns everything that the server answers.
func (s *server) handler() http.Handler { return s.front.handler(s.routes().guarded()) }

// routes returns every route of the server.
func (s *server) routes() *routes {
	mux := &routes{mux: http.NewServeMux()}
	tracking := intake.New(intake.Options{
		Locate: s.locate(),
		Keys:   s.d.ring, Append: s.node.Take, Quarantine: s.node.Quarantine, Now: s.clock.Now, Workspace: s.d.key, PublicURL: s.public, Log: s.logger,
	})
	for _, pattern := range intake.Patterns() {
		mux.Open(pattern, tracking)
	}
	mux.Open("/u/", s.site)
	for _, path := range []string{"/c/", "/o/", "/p/", "/s/", "/v/", "/signup", "/own-copy", "/i/", "/k/"} {
		mux.Handle(path, s.site)
	}
	s.shops.serve(context.Background(), mux, s.node, s.clock.Now, s.logger)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.node.Ready(); err != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	s.hook(mux)
	inside := private
	if s.openPages {
		inside = func(h http.Handler) http.Handler { return h }
	}
	mux.Handle("GET /metrics", inside(s.metrics()))
	mails := ""
	if s.catcher != nil {
		mails = mailsPath
		mux.Handle(mails+"/", inside(s.catcher.Handler(mails)))
	}
	mux.Handle(api.Prefix+"/", s.manage)
	pages := admin.New(admin.Options{Node: s.node, Store: s.d.store, Loader: s.loader, Now: s.clock.Now, Demo: s.demo, MailsPath: mails, Logger: s.logger})
	mux.Handle("/", inside(pages))
	app := ui.Handler()
	for _, pattern := range append(ui.Paths, ui.Assets) {
		mux.Handle(pattern, app)
	}
	return mux
}

// metrics are what an operator watches.
func (s *server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	gauge := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "rapport", Name: name, Help: help}, value))
	}
	gauge("up", "1 while the engine applies what it hears, 0 once it has stopped.", func() float64 {
		if s.node.Engine.Err() != nil {
			return 0
		}
		return 1
	})
	gauge("sending", "1 if messages are sent, 0 if the data directory is a copy that nobody has adopted.", func() float64 {
		if s.silent {
			return 0
		}
		return 1
	})
	gauge("events_applied", "Customers' events applied since the process began.", func() float64 { return float64(s.node.Engine.Stats().Events) })
	gauge("lag_records", "Records in the log that are not applied yet, over all lanes.", func() float64 { return float64(s.node.Engine.Stats().Lag) })
	gauge("cached_profiles", "Decoded customers in memory.", func() float64 { return float64(s.node.Engine.Stats().Cached) })
	gauge("swept_ratio", "The share of customers whom the definitions in force have come to: 1 unless they have just changed.", func() float64 {
		done, of := s.node.Engine.Swept()
		return float64(done) / float64(of)
	})
	gauge("alarm_overdue_seconds", "How long the most overdue alarm has been due; 0 if none is.", func() float64 {
		next := s.node.Engine.Stats().NextAlarm
		if d := s.clock.Now().Sub(next).Seconds(); d > 0 {
			return d
		}
		return 0
	})
	s.sendingMetrics(gauge)
	s.mailingMetrics(gauge)
	s.scheduledMetrics(gauge)
	registry.MustRegister(s.hooks.Collectors()...)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// close ends everything in the order in which it depends on one another.
func (s *server) close(ctx context.Context) error {
	s.live.Close()
	errs := []error{s.closeSending(ctx), s.desk.Close()}
	if s.site != nil {
		errs = append(errs, s.site.Close(ctx))
	}
	if s.node != nil {
		errs = append(errs, s.node.Close(ctx))
	}
	errs = append(errs, s.room.Close(), s.shops.close(), s.closeGeo())
	if s.carrier != nil {
		errs = append(errs, s.carrier.Close())
	}
	if s.catcher != nil {
		errs = append(errs, s.catcher.Close())
	}
	return errors.Join(errs...)
}
