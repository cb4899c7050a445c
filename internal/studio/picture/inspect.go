package picture

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strconv"
	"strings"

	"golang.org/x/image/webp"

	"rapport/internal/fault"
)

// Limits of one picture.
const (
	// MaxBytes bounds the file: what a good camera writes.
	MaxBytes = 16 << 20
	// MaxSide bounds each side, in pixels.
	MaxSide = 10_000
	// MaxPixels bounds a picture, all frames of an animation together: decoded it
	// takes four bytes for each, so 100 MB.
	MaxPixels = 25_000_000
	// maxFrames bounds an animation.
	maxFrames = 500
)

// recipe is the version of how sizes are made. It is part of a picture's name, so
// that a better recipe gives new names.
const recipe = "1"

// Info is what is known of a picture without decoding it.
type Info struct {
	Hash          string // 32 hex digits
	Ext           string // of what is served: jpg, png or gif
	Width, Height int    // as it is shown, in pixels
	Alt           string // what it shows, for those who do not see it; empty: nobody said
}

// maxAlt bounds the words for those who do not see a picture: they are read aloud.
const maxAlt = 300

// Size is a named width.
type Size struct {
	Name  string
	Width int // pixels; a narrower picture keeps its own width
}

// Sizes are the widths in which every picture is kept, the smallest first. A mail
// is 600 wide, and sharp screens show two pixels for one.
var Sizes = []Size{{"thumb", 150}, {"card", 300}, {"half", 600}, {"full", 1200}}

// Name returns under what the picture is served in a size.
func (i Info) Name(s Size) string { return i.Hash + "-" + strconv.Itoa(s.Width) + "." + i.Ext }

// Fit returns the smallest size that is sharp at a width on the screen.
func (i Info) Fit(width int) Size {
	for _, s := range Sizes {
		if s.Width >= 2*width || s.Width >= i.Width {
			return s
		}
	}
	return Sizes[len(Sizes)-1]
}

// String returns the Info as one line, which [ParseInfo] reads.
func (i Info) String() string {
	s := fmt.Sprintf("picture %s.%s %dx%d", i.Hash, i.Ext, i.Width, i.Height)
	if i.Alt != "" {
		s += " " + i.Alt
	}
	return s
}

// ParseInfo reads what String wrote.
func ParseInfo(s string) (i Info, ok bool) {
	var name string
	if _, err := fmt.Sscanf(s, "picture %s %dx%d", &name, &i.Width, &i.Height); err != nil {
		return Info{}, false
	}
	i.Hash, i.Ext, ok = strings.Cut(name, ".")
	if words := strings.SplitN(s, " ", 4); len(words) == 4 {
		i.Alt = words[3]
	}
	return i, ok && len(i.Hash) == 32 && len(i.Alt) <= maxAlt && i.Alt == strings.Join(strings.Fields(i.Alt), " ") && i.String() == s
}

// Inspect returns what a picture is by its header. What is no PNG, JPEG, GIF or
// WebP is Invalid, what is larger than the limits TooLarge; both say what to do.
func Inspect(b []byte) (Info, error) {
	if len(b) > MaxBytes {
		return Info{}, fault.New(fault.TooLarge, fmt.Sprintf("the picture has more than %d MB: make it smaller first", MaxBytes>>20))
	}
	sum := sha256.Sum256(append([]byte("rapport picture "+recipe+"\x00"), b...))
	i := Info{Hash: hex.EncodeToString(sum[:16])}
	frames := 1
	var err error
	switch {
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		i.Ext = "png"
		if c, e := png.DecodeConfig(bytes.NewReader(b)); e == nil {
			i.Width, i.Height = c.Width, c.Height
		} else {
			err = e
		}
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		i.Ext = "jpg"
		if c, e := jpeg.DecodeConfig(bytes.NewReader(b)); e == nil {
			i.Width, i.Height = c.Width, c.Height
			if orientation(b) >= 5 { // turned by a quarter
				i.Width, i.Height = i.Height, i.Width
			}
		} else {
			err = e
		}
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		if c, e := gif.DecodeConfig(bytes.NewReader(b)); e == nil {
			i.Width, i.Height = c.Width, c.Height
		} else {
			err = e
		}
		frames = gifFrames(b)
		if i.Ext = "png"; frames > 1 {
			i.Ext = "gif"
		}
	case len(b) > 30 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		if c, e := webp.DecodeConfig(bytes.NewReader(b)); e == nil {
			i.Width, i.Height = c.Width, c.Height
		} else {
			err = e
		}
		if i.Ext = "jpg"; webpAlpha(b) {
			i.Ext = "png"
		}
	case looksLikeSVG(b):
		return Info{}, fault.New(fault.Invalid, "a drawing in SVG may hold programs, and mail programs do not show it: save it as a PNG of 1200 pixels")
	default:
		return Info{}, fault.New(fault.Invalid, "this is no picture that mail programs show: save it as JPEG, PNG, GIF or WebP")
	}
	switch {
	case err != nil:
		return Info{}, fault.Wrap(fault.Invalid, err, "the picture is damaged: save it anew")
	case i.Width < 1 || i.Height < 1:
		return Info{}, fault.New(fault.Invalid, "the picture has no size")
	case i.Width > MaxSide || i.Height > MaxSide || i.Width*i.Height > MaxPixels:
		return Info{}, fault.New(fault.TooLarge, fmt.Sprintf("the picture is %d x %d: at most %d million pixels, and %d on a side", i.Width, i.Height, MaxPixels/1_000_000, MaxSide))
	case frames > maxFrames || frames*i.Width*i.Height > MaxPixels:
		return Info{}, fault.New(fault.TooLarge, fmt.Sprintf("the animation has %d frames of %d x %d: use fewer or smaller ones, or a film on a page", frames, i.Width, i.Height))
	}
	return i, nil
}

func looksLikeSVG(b []byte) bool {
	head := strings.ToLower(string(b[:min(len(b), 1024)]))
	return strings.Contains(head, "<svg")
}

// gifFrames counts the frames of a GIF without decoding them; a frame that is cut
// off counts.
func gifFrames(b []byte) (n int) {
	const header, imageHead = 13, 10
	if len(b) < header {
		return 0
	}
	at := header + palette(b[10])
	blocks := func(from int) int { // behind a chain of sub-blocks
		for from < len(b) && b[from] != 0 {
			from += 1 + int(b[from])
		}
		return from + 1
	}
	for at < len(b) {
		switch b[at] {
		case 0x21: // an extension: its label, then sub-blocks
			at = blocks(at + 2)
		case 0x2c:
			if n++; n > maxFrames || at+imageHead > len(b) {
				return n
			}
			at = blocks(at + imageHead + palette(b[at+9]) + 1)
		default:
			return n
		}
	}
	return n
}

// palette returns how many bytes of colours the flags announce.
func palette(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// webpAlpha reports whether a WebP may be transparent.
func webpAlpha(b []byte) bool {
	switch string(b[12:16]) {
	case "VP8X":
		return b[20]&0x10 != 0
	case "VP8L":
		return binary.LittleEndian.Uint32(b[21:25])>>28&1 != 0
	}
	return false
}

// orientation returns how a JPEG says that it is to be turned: 1 to 8 as in EXIF,
// 1 if it says nothing that can be read.
func orientation(b []byte) int {
	const upright = 1
	for at := 2; at+4 <= len(b) && b[at] == 0xff; {
		marker, size := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if marker == 0xda || size < 2 || at+2+size > len(b) {
			return upright
		}
		if body := b[at+4 : at+2+size]; marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return tiffOrientation(body[6:])
		}
		at += 2 + size
	}
	return upright
}

// tiffOrientation reads the orientation from the first directory of a TIFF.
func tiffOrientation(b []byte) int {
	const upright, tag, entry = 1, 0x0112, 12
	if len(b) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(b[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int(order.Uint32(b[4:]))
	if at < 8 || at+2 > len(b) {
		return upright
	}
	n := int(order.Uint16(b[at:]))
	for at += 2; n > 0 && at+entry <= len(b); n, at = n-1, at+entry {
		if order.Uint16(b[at:]) == tag {
			if v := int(order.Uint16(b[at+8:])); v >= 1 && v <= 8 {
				return v
			}
			return upright
		}
	}
	return upright
}
