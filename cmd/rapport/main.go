// Command rapport is the whole product in one binary: the server, the demo, and
// the tools for engineers and operators. It is the only place that picks
// adapters; everything else knows ports.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // a customer's zone must not depend on what the machine has installed

	"github.com/alecthomas/kong"

	"rapport/internal/fault"
)

// version is set by the build.
var version = "0.1.0-dev"

// The exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitMisuse = 2
)

// cli is the command line.
type cli struct {
	Demo      demoCmd      `cmd:"" group:"Run" help:"Replay a real shop's year through the whole product, on this machine, in two minutes."`
	Serve     serveCmd     `cmd:"" group:"Run" help:"Run the product on a data directory."`
	Version   versionCmd   `cmd:"" group:"Run" help:"Print the version."`
	Keys      keysCmd      `cmd:"" group:"Set up" help:"List, rotate and revoke the keys by which sources send."`
	People    peopleCmd    `cmd:"" group:"Set up" help:"List and invite who works with the product, and let back in who lost the password."`
	Domain    domainCmd    `cmd:"" group:"Set up" help:"Set up, check, pause and resume the domains that mail is sent from."`
	Hooks     hooksCmd     `cmd:"" group:"Set up" help:"Set up the webhooks by which e-mail providers tell what became of messages."`
	Import    importCmd    `cmd:"" group:"Bring in" help:"Bring in suppressions, consents, customers, orders, products and events from files, as history."`
	Connect   connectCmd   `cmd:"" group:"Bring in" help:"Connect a shop on Shopify or WooCommerce."`
	Backfill  backfillCmd  `cmd:"" group:"Bring in" help:"Read a connected shop's past, as history: it sends nothing."`
	Validate  validateCmd  `cmd:"" group:"Define" help:"Check a folder of definitions: where each mistake is and what to write instead."`
	Config    exportDefs   `cmd:"" group:"Define" name:"export" help:"Write the definitions in force into a folder."`
	Diff      diffCmd      `cmd:"" group:"Define" help:"Say what a folder of definitions would change, and whom that concerns."`
	Apply     applyCmd     `cmd:"" group:"Define" help:"Put a folder of definitions in force, in a data directory or on a running server."`
	Test      testCmd      `cmd:"" group:"Define" help:"Run the stories of a folder of definitions."`
	Preview   previewCmd   `cmd:"" group:"Define" help:"Show a message as one customer would read it; what is missing is marked."`
	SendTest  sendTestCmd  `cmd:"" group:"Define" help:"Send a message once to somebody of the shop, as one customer would read it."`
	Campaign  campaignCmd  `cmd:"" group:"Send" help:"Preview, send, pause and stop one-off campaigns on a running server."`
	Catcher   catcherCmd   `cmd:"" group:"Send" help:"A mail server for looking: it takes mail on this machine, shows it and delivers it to nobody."`
	Segment   segmentCmd   `cmd:"" group:"Look" help:"Preview a segment before it is saved, and lay segments over each other, on a running server."`
	Reach     reachableCmd `cmd:"" group:"Look" name:"reachable" help:"Count who can be written to, and why the others cannot."`
	Predict   predictCmd   `cmd:"" group:"Look" help:"Predict what customers will do, and say how far that can be believed."`
	Score     scoreCmd     `cmd:"" group:"Look" help:"Say what a customer's scores are and why, and whose tier changed rules would change."`
	Stores    storesCmd    `cmd:"" group:"Look" help:"List the stores of a folder of definitions, with their hours, or the nearest."`
	Why       whyCmd       `cmd:"" group:"Look" help:"Say why a customer got a message, or did not."`
	Dump      dumpCmd      `cmd:"" group:"Look" help:"Print events, profiles or deliveries as JSON lines."`
	Bench     benchCmd     `cmd:"" group:"Look" help:"Measure a part of the product beside the limit of this machine."`
	Backup    backupCmd    `cmd:"" group:"Look after" help:"Copy a data directory that nobody is using."`
	Restore   restoreCmd   `cmd:"" group:"Look after" help:"Bring a backup back; who was erased since stays erased."`
	Erase     eraseCmd     `cmd:"" group:"Look after" help:"Forget a customer: profile, history, messages, and everything that comes later."`
	Export    exportCmd    `cmd:"" group:"Look after" name:"export-person" help:"Write everything about one customer, as JSON and CSV."`
	Doctor    doctorCmd    `cmd:"" group:"Look after" help:"Check a data directory: invariants, stuck customers, what was put aside."`
	Recommend recommendCmd `cmd:"" group:"Look" help:"Measure recommendations on files of clicks."`
	SQL       sqlCmd       `cmd:"" group:"Look" name:"sql" help:"Ask the warehouse in SQL, or export a table or a query."`
	Report    reportCmd    `cmd:"" group:"Look" help:"Add up what happened: kpis, funnel, paths, cohorts, messages, rfm, clv."`

	Verbose bool `short:"v" help:"Log more."`
}

// env is what every command may use.
type env struct {
	out    io.Writer
	err    io.Writer
	logger *slog.Logger
}

func main() {
	if answersQuery(os.Args) {
		os.Exit(answerQuery())
	}
	frugal()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command runs one command line and returns its exit code.
func command(ctx context.Context, args []string, out, errs io.Writer) int {
	var c cli
	code := -1
	parser, err := kong.New(&c,
		kong.Name("rapport"),
		kong.Description("Rapport: the open customer-engagement engine for retailers.\n\nIt hears what shoppers do, remembers, understands, decides, speaks and learns, and can say why. Begin with: rapport demo"),
		kong.UsageOnError(), kong.Writers(out, errs), kong.Exit(func(n int) { code = n }),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintln(errs, "rapport:", err)
		return exitFailed
	}
	if len(args) == 0 || args[0] == "help" {
		args = append(args[min(len(args), 1):], "--help")
	}
	parsed, err := parser.Parse(args)
	if code >= 0 {
		return code // --help was answered
	}
	if err != nil {
		fmt.Fprintln(errs, "rapport:", err)
		fmt.Fprintln(errs, "rapport help lists the commands")
		return exitMisuse
	}
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelInfo
	}
	e := &env{out: out, err: errs, logger: slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level}))}
	switch err := parsed.Run(e); {
	case err == nil:
		return exitDone
	case errors.Is(err, errDiffers):
		return exitFailed // what differs was printed
	case errors.Is(err, errMisuse):
		fmt.Fprintln(errs, "rapport:", err)
		return exitMisuse
	default:
		fmt.Fprintln(errs, "rapport:", explain(err))
		return exitFailed
	}
}

var errMisuse = errors.New("used wrongly")

// explain says what went wrong to a person at a terminal: the whole chain, since
// whoever runs the binary owns it, and nothing twice.
func explain(err error) string {
	whole := err.Error()
	if kind, message := fault.Of(err); kind != fault.Internal {
		if cause, is := strings.CutPrefix(whole, message+": "); is && strings.Contains(message, cause) {
			return message
		}
	}
	return whole
}

// printJSON prints v on one line.
func (e *env) printJSON(v any) error {
	enc := json.NewEncoder(e.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(e *env) error {
	_, err := fmt.Fprintln(e.out, "rapport", version)
	return err
}
