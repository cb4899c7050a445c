package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rapport/internal/core/identity"
	"rapport/internal/core/profile"
	"rapport/internal/erase"
	"rapport/internal/fault"
	"rapport/internal/mailcatcher"
	"rapport/internal/run"
)

type eraseCmd struct {
	Who    string   `arg:"" help:"Customer id, user id, e-mail address, phone number or anonymous id."`
	Data   string   `required:"" type:"path" help:"Data directory that no server is using."`
	Now    bool     `help:"Take every old byte off the disk at once: trims the log and writes the files anew. Default: a running server does so a day later."`
	Prove  bool     `help:"Look for the customer's identifiers in every byte of the directory and every unpacked block, before and after. Implies --now."`
	Needle []string `placeholder:"WORD" help:"A further word that --prove looks for, at least six bytes long; may be repeated."`
	JSON   bool     `help:"Print the result as JSON."`
}

// erasure is what the command prints as JSON.
type erasure struct {
	Profile identity.ID `json:"profile"`
	Homes   int         `json:"homes"`         // identifiers that are tombstones now
	Swept   bool        `json:"swept"`         // nothing is left in the files
	Looked  []string    `json:"looked_for"`    // by --prove
	Before  int         `json:"places_before"` // where the words were found
	After   int         `json:"places_after"`
}

// Run forgets a customer. It fails if --prove finds something after it, or nothing
// before it.
func (c *eraseCmd) Run(ctx context.Context, e *env) (err error) {
	d, n, err := audit(ctx, e, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	p, err := n.Lookup(ctx, c.Who)
	if err != nil {
		return err
	}
	result := erasure{Profile: p.ID}
	if c.Prove {
		result.Looked = append(needlesOf(p), c.Needle...)
		before, err := erase.Scan(ctx, c.Data, result.Looked, n.Everything)
		if err != nil {
			return err
		}
		if result.Before = len(before); result.Before == 0 {
			return fault.New(fault.Corrupt, "the customer's identifiers are found nowhere before the erasure, so the scan could prove nothing: nothing was erased")
		}
	}
	entry, err := n.Erase(ctx, p.ID)
	if err != nil {
		return err
	}
	result.Homes = len(entry.Homes)
	if c.Now || c.Prove {
		if err := n.Sweep(ctx); err != nil {
			return err
		}
		result.Swept = true
	}
	var left []erase.Found
	if c.Prove {
		if left, err = erase.Scan(ctx, c.Data, result.Looked, n.Everything); err != nil {
			return err
		}
		result.After = len(left)
	}
	if err := c.print(e, &result); err != nil {
		return err
	}
	if len(left) > 0 {
		fmt.Fprint(e.err, erase.Say(left))
		return fault.New(fault.Corrupt, "the customer was erased, and words of theirs still stand where it says above: they belong to another customer too, or this is a mistake of ours")
	}
	return nil
}

func (c *eraseCmd) print(e *env, r *erasure) error {
	if c.JSON {
		return e.printJSON(r)
	}
	fmt.Fprintf(e.out, "erased: %d identifiers are tombstones, and what comes for them is dropped\n", r.Homes)
	switch {
	case c.Prove:
		fmt.Fprintf(e.out, "looked for %s: %d places before, %d after\n", strings.Join(r.Looked, ", "), r.Before, r.After)
	case c.Now:
		fmt.Fprintln(e.out, "the log is trimmed and the files are written anew")
	default:
		fmt.Fprintf(e.out, "old records are in the log for up to %s of a running server; --now takes them away at once\n", run.KeepLog)
	}
	return nil
}

// needlesOf returns the words that name a customer and nobody else, if they are
// long enough to be looked for.
func needlesOf(p *profile.Profile) (words []string) {
	for i := range p.Held {
		h := &p.Held[i]
		if v := h.Identifier.Value; h.State == profile.Owned && len(v) >= erase.MinNeedle && !slices.Contains(words, v) {
			words = append(words, v)
		}
	}
	return words
}

type restoreCmd struct {
	From         string   `arg:"" type:"path" help:"Folder that rapport backup made."`
	Data         string   `required:"" type:"path" help:"Data directory to make; it must not exist."`
	Erasures     []string `type:"path" placeholder:"FILE" help:"The newest list of erasures: the file named erasures in the data directory that is replaced, or in the newest backup. May be repeated."`
	NobodyErased bool     `help:"Restore without a list: nobody was erased since the backup was made."`
	JSON         bool     `help:"Print the result as JSON."`
}

// restored is what the command prints as JSON.
type restored struct {
	Erased int `json:"erased"` // people on the lists
	Again  int `json:"again"`  // that the backup had brought back
}

// Run copies a backup into place and erases everybody again who was erased since.
func (c *restoreCmd) Run(ctx context.Context, e *env) (err error) {
	if len(c.Erasures) == 0 && !c.NobodyErased {
		return fmt.Errorf("%w: a backup brings back who was erased since it was made. Name the newest list with --erasures FILE, or say --nobody-erased", errMisuse)
	}
	if _, err := os.Stat(filepath.Join(c.From, "state.db")); err != nil {
		return fault.New(fault.NotFound, c.From+" is no backup: it has no state.db")
	}
	if _, err := os.Stat(c.Data); err == nil {
		return fault.New(fault.Conflict, c.Data+" is there already: move it away, and name its list with --erasures")
	}
	var entries []erase.Entry
	for _, path := range c.Erasures {
		more, err := erase.Read(path)
		if err != nil {
			return err
		}
		entries = append(entries, more...)
	}
	// Nobody finds the directory before everybody is erased again.
	var r restored
	if err := copyPrivate(c.From, c.Data, func(dir string) (err error) {
		r, err = c.reerase(ctx, e, dir, entries)
		return err
	}); err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(r)
	}
	fmt.Fprintf(e.out, "restored to %s; of %d people who were erased the backup had brought back %d, who are erased again\n", c.Data, r.Erased, r.Again)
	return nil
}

// reerase erases in a copied directory whom the lists name.
func (c *restoreCmd) reerase(ctx context.Context, e *env, dir string, entries []erase.Entry) (r restored, err error) {
	if err := mergeErasures(dir, entries); err != nil {
		return r, err
	}
	if err := os.Remove(filepath.Join(dir, mailsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	d, n, err := audit(ctx, e, dir)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, n.Close(ctx), d.close()) }()
	r.Erased = len(d.erasures.Entries())
	if r.Again, err = n.Reerase(ctx); err != nil || r.Again == 0 {
		return r, err
	}
	return r, n.Sweep(ctx)
}

// mergeErasures adds what the lists say to the directory's own.
func mergeErasures(dir string, entries []erase.Entry) (err error) {
	list, err := erase.Open(filepath.Join(dir, erase.File))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, list.Close()) }()
	for _, entry := range entries {
		if err := list.Add(entry); err != nil {
			return err
		}
	}
	return nil
}

// mailsFile is where the built-in catcher keeps mails.
const mailsFile = "mails"

// forget lists what keeps messages outside of store and log.
func (s *server) forget() []run.Forget {
	list := []run.Forget{func(_ context.Context, erased func(identity.Identifier) bool) error { return s.desk.Forget(erased) }}
	if s.catcher == nil { // what an earlier server caught here is there all the same
		return append(list, forgetCaught(s.d.dir))
	}
	return append(list, func(_ context.Context, erased func(identity.Identifier) bool) error {
		_, err := s.catcher.Forget(toErased(erased))
		return err
	})
}

// toErased reports whether mail to an address was to somebody who was erased.
func toErased(erased func(identity.Identifier) bool) func(rcpt string) bool {
	return func(rcpt string) bool {
		id, ok := identity.Normal(identity.Email, rcpt)
		return ok && erased(id)
	}
}

// forgetCaught takes the caught mails of who was erased out of a data directory that no
// server is using.
func forgetCaught(dir string) run.Forget {
	return func(_ context.Context, erased func(identity.Identifier) bool) error {
		_, err := mailcatcher.ForgetKept(filepath.Join(dir, mailsFile), toErased(erased))
		return err
	}
}

// keep lets the log forget what is old and finishes erasures, until the function
// that it returns is called.
func (s *server) keep(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.node.Engine.CaughtUp(ctx); err == nil {
			if again, err := s.node.Reerase(ctx); err != nil && ctx.Err() == nil {
				s.logger.Error("an erasure that was cut short is not finished", "error", err)
			} else if again > 0 {
				s.logger.Warn("finished erasures that were cut short", "people", again)
			}
		}
		keeper := s.node.Keeper()
		tick := time.NewTicker(run.KeepEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := keeper.Round(ctx); err != nil && ctx.Err() == nil {
				s.logger.Error("letting the log forget what is old", "error", err)
			}
		}
	}()
	return func() { cancel(); <-done }
}
