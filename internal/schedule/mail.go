package schedule

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"rapport/internal/channels"
	"rapport/internal/core/event"
	"rapport/internal/core/profile"
	"rapport/internal/fault"
	"rapport/internal/program"
	"rapport/internal/report"
)

// minute is how instants are written in mails.
const minute = "Mon 2 Jan 2006, 15:04"

// idOf names the mail of a report for a period to one colleague. It is the same at each
// attempt.
func idOf(r *program.Report, m *mark, to string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "report\x00%s\x00%d\x00%d\x00%s", r.Name, m.From, m.To, to))
	return hex.EncodeToString(sum[:16])
}

// letter is what stands in the mails of one period.
type letter struct {
	subject string
	text    string
}

// compose words a report. Late says why it is; empty: it is not.
func compose(pr *program.Program, r *program.Report, m *mark, now event.Time, late string, answer any) (letter, error) {
	period := span(r, m, pr.Zone)
	var b bytes.Buffer
	if late != "" {
		fmt.Fprintf(&b, "This report is late: it was due on %s and left on %s (%s), because %s.\n", m.Due.In(pr.Zone).Format(minute), now.In(pr.Zone).Format(minute), pr.Zone, late)
		if m.Missed > 0 {
			fmt.Fprintf(&b, "%d before it did not go out at all.\n", m.Missed)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s of %s, %s (%s)\n\n", r.Title, pr.Name, period, pr.Zone)
	write := report.Write
	if r.Format == program.AsCSV {
		write = report.WriteCSV
	}
	if err := write(&b, map[string]any{r.Report: answer}); err != nil {
		return letter{}, err
	}
	fmt.Fprintf(&b, "\nreports/%s.yaml asks for this %s. The same figures: %s\n", r.Name, r.Schedule(), command(r, m, pr.Zone))
	return letter{fmt.Sprintf("%s: %s, %s", pr.Name, r.Title, period), b.String()}, nil
}

// span writes what a report is about.
func span(r *program.Report, m *mark, zone *time.Location) string {
	from, last := m.From.In(zone), (m.To - 1).In(zone)
	switch {
	case r.All:
		return "until the end of " + last.Format(time.DateOnly)
	case r.Every == program.Monthly:
		return from.Format("January 2006")
	case from.Format(time.DateOnly) == last.Format(time.DateOnly):
		return from.Format(time.DateOnly)
	}
	return from.Format(time.DateOnly) + " to " + last.Format(time.DateOnly)
}

// command is the command line that prints the same.
func command(r *program.Report, m *mark, zone *time.Location) string {
	args := []string{"rapport report", r.Report}
	add := func(flag, value string) {
		if value != "" {
			if strings.ContainsAny(value, " '\"$`\\") {
				value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
			}
			args = append(args, "--"+flag, value)
		}
	}
	if !r.All {
		add("from", m.From.In(zone).Format(time.DateOnly))
	}
	add("to", m.To.In(zone).Format(time.DateOnly))
	add("zone", zone.String())
	add("by", r.By)
	add("steps", strings.Join(r.Steps, ","))
	if r.Within > 0 {
		add("within", r.Within.String())
	}
	add("kinds", r.Kinds)
	add("channel", r.Channel)
	if r.Top > 0 {
		add("top", fmt.Sprint(r.Top))
	}
	return strings.Join(args, " ")
}

// message addresses a letter to one colleague.
func message(pr *program.Program, l letter, id, to string, now event.Time) (channels.Message, error) {
	sender, ok := pr.Shop.SenderFor("email", "", profile.Service, pr.Locale)
	if !ok {
		return channels.Message{}, fault.New(fault.Invalid, "nobody is set up in shop.yaml to send by email")
	}
	_, domain, _ := strings.Cut(sender.From, "@")
	return channels.Message{
		Delivery: id, Channel: "email", From: channels.Party{Name: sender.FromName, Address: sender.From}, ReplyTo: channels.Party{Address: sender.ReplyTo},
		To: channels.Party{Address: to}, Bounce: sender.Bounce, Domain: sender.Domain, Date: now, MessageID: "<" + id + "@" + strings.ToLower(domain) + ">",
		Service: true, // whoever asked for a report waits for it, and their definition is the way out
		Subject: l.subject, Text: l.text,
	}, nil
}
