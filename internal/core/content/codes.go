package content

import "rapport/internal/fault"

// codeFilter returns the filter that writes the address of the picture of a code:
// {{ coupon.code | qr: "H" }}. A text of which none can be drawn is an error: a
// message must not ask a till to read what is not there.
func codeFilter(kind string) func(r *run, v any, args []any, _ map[string]any) any {
	return func(r *run, v any, args []any, _ map[string]any) any {
		if v == nil {
			return nil
		}
		if r.env.Code == nil {
			r.fail(fault.Invalid, "no codes are drawn here")
			return nil
		}
		level := ""
		if len(args) > 0 {
			level = r.str(args[0])
		}
		text := r.str(v)
		if r.err != nil || !r.step(codeSteps) {
			return nil
		}
		address, err := r.env.Code(kind, text, level)
		if err != nil {
			_, why := fault.Of(err)
			r.fail(fault.Invalid, "%s makes no code: %s", quote(text), why)
			return nil
		}
		if !r.make(len(address)) {
			return nil
		}
		return address
	}
}

// codeSteps is what a code costs of Limits.Steps: its address is signed, which
// takes as long as some filters.
const codeSteps = 20
