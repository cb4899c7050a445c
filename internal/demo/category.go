package demo

import (
	"strings"
)

// CategoryRule puts descriptions that hold one of its words into a category.
type CategoryRule struct {
	Category string   `json:"category"` // as in properties.products[].category
	Title    string   `json:"title"`    // for people
	Words    []string `json:"words"`    // words or runs of words, in singular
}

// Other is the category of a description in which no rule finds a word.
const Other = "other"

// Charges is the category of order lines that are not products: postage, fees,
// discounts, corrections, vouchers.
const Charges = "charges"

// HowCategories says in words how [CategoryRules] are read.
const HowCategories = "From top to bottom, the first rule wins that has one of its words in the description: whole words, in any case, " +
	"in singular or with s or es behind; digits and signs count as spaces, T-LIGHT and TEA LIGHT are read as TLIGHT, and the colours LIGHT PINK, LIGHT BLUE and LIGHT GREEN as PINK, BLUE and GREEN. " +
	"What no rule knows is \"other\"."

// CategoryRules returns the rules in the order in which they are asked. Rules
// with words that others would take (a HOT WATER BOTTLE is no BOTTLE) come first,
// and a category may have a second rule further down.
func CategoryRules() []CategoryRule {
	const (
		lighting   = "Lamps and lights"
		stationery = "Stationery and wrap"
	)
	return []CategoryRule{
		{"lighting", lighting, words(`light, lamp, lampshade, led, torch, lighting`)},
		{"candles", "Candles and holders", words(`tlight, candle, chocolatecandle, candleholder, candlestick, candelabra, candlepot, lantern, votive,
			incense, wax, oil burner, diffuser, hurricane, matches`)},
		{"lighting", lighting, words(`chandelier, bulb`)},
		{"signs", "Signs, clocks and frames", words(`sign, doorsign, clock, frame, photoframe, chalkboard, blackboard, black board, memo board, memoboard,
			notice board, cork board, picture, photo, wall art, canvas, poster, block word, alphabet block`)},
		{"bags", "Bags and purses", words(`bag, shopper, purse, wallet, handbag, rucksack, backpack, tote, suitcase, trolley, luggage, passport cover,
			vippassport, satchel, pouch, holdall`)},
		{"christmas", "Christmas", words(`christmas, xmas, advent, santa, snowman, snowmen, reindeer, rudolph, noel, nativity, sleigh, cracker, bauble,
			snowflake, jingle, stocking, tree decoration, tree top, wise men, robin, mistletoe, snow, festive, tinsel`)},
		{"accessories", "Jewellery and accessories", words(`necklace, necklac, bracelet, earring, earing, brooch, pendant, lariat, hair, hairband, hairclip,
			hairgrip, headband, lip gloss, umbrella, scarf, shawl, poncho, rain mac, sunglass, key ring, keyring, key fob, key chain, keychain, trinket,
			bangle, cufflink, fan, jewel, jewellery, phone charm, bag charm, ring, watch, mitten, hat, rain hat, sombrero, choker, tiara, diamante,
			bling, compact, slipper, slide, nail, tattoo, flip flop, badge, ear muff, patches, skirt`)},
		{"craft", "Craft and sewing", words(`sewing, knitting, feltcraft, felt craft, dollcraft, felt, craft, ribbon, button, crochet, embroidery, needle,
			stitch, make your own, mosaic, tape measure, pom pom, thread, stencil`)},
		{"textiles", "Warmers and textiles", words(`hot water bottle, hottie, hand warmer, cushion, squarecushion, filler pad, doormat, door mat, mat acapulco,
			acapulco mat, bath mat, rug, quilt, throw, blanket, curtain, towel, fabric, duvet, bed, cosy, eiderdown, patchwork, sleeping, eye mask,
			oilcloth, wool, sock, bedspread, pouffe`)},
		{"toys", "Toys and games", words(`toy, game, doll, jigsaw, puzzle, dominoes, domino, skittle, spinning top, playhouse, harmonica, playing card,
			snap card, snap, happy families, snake, skipping, rope ladder, glider, modelling clay, colouring, painting, paint set, teddy, bingo, chess,
			ludo, yo yo, yoyo, marble, kite, bouncy ball, puppet, robot, rocking horse, aeroplane, plane, helicopter, boomerang, catch cup, rounders,
			croquet, building block, magic drawing, magic tree, magic sheep, bouncy, balancing, wind up, noughts, naughts, quoits, frisbee, flying disc,
			pack of cards, heads and tails, nesting box, inflatable, kaleidoscope, slinky, whistle, piano, drum, trumpet, cap gun, racing car, bubble,
			rattle, gyroscope, hopper, crawlie, crawly, parachute, sandcastle, wheelbarrow for children, gift set, geisha girl, monster, glow in dark`)},
		{"stationery", stationery, words(`birthday card, greeting card, birthday wrap, gift wrap`)},
		{"party", "Party", words(`party, bunting, balloon, birthday, garland, paper chain, paper plate, paper cup, napkin, confetti, doilies, cocktail,
			streamer, pinata, invitation, invite, wedding, halloween, mask, straw, pennant, windsock, flag of`)},
		{"stationery", stationery, words(`card, notebook, note book, exercise book, address book, pencil, pen, ruler, wrap, tag, sticker, tape, envelope,
			memo, calendar, eraser, rubber, chalk, crayon, stationery, stamp, diary, album, magnet, magnetic, writing, gift box, notepad, note, notelet,
			paper, paperweight, p weight, scrapbook, scissor, sharpener, journal, postcard, shopping list, sheet, bookmark, filofax, folder, file, stapler,
			hole punch, highlighter, organiser, jotter, clipboard, planner`)},
		{"garden", "Garden and tools", words(`garden, gardener, plant, planter, watering can, herb marker, herb garden, herb pot, parasol, birdhouse, bird house,
			bird feeder, feeding station, bird table, bird bath, seed, trowel, flower pot, kneeling, windmill, insect, trellis, allotment, hose,
			hanging basket, wellington, welly, deckchair, deck chair, hammock, beach, windchime, wind chime, wind spinner, picnic, birdcage, bird cage,
			cactus, growing, grow your own, grow a, bug, fork, spade, twine, dovecote, greenhouse, gazebo, barbecue, fly swat, screwdriver, spirit level,
			repair kit, tool, bicycle`)},
		{"bath", "Bath and care", words(`soap, bath, bathroom, plaster, tissue, sponge, shower, toilet, toothbrush, flannel, nailbrush, first aid, talc,
			lotion, pumice, loo roll, washbag, body, hand cream, towelling, cleansing, laundry, washing, clothes peg, scrubbing brush, ironing`)},
		{"kitchen", "Kitchen and table", words(`mug, cup, saucer, teacup, teapot, plate, bowl, fruitbowl, cake, cakestand, cupcake, baking, cutter, jam, jampot,
			jug, cutlery, kitchen, apron, oven, tea, coffee, egg cup, eggcup, egg holder, egg timer, bottle, pantry, recipe, lunch box, lunchbox, snack,
			spoon, teaspoon, jelly, mould, measuring, scale, pan, beaker, tray, coaster, place setting, bread, sugar, biscuit, cookie, popcorn, toast,
			toastrack, ice cream, ice cube, lolly maker, corkscrew, placemat, place mat, tumbler, wine, jar, goblet, champagne, whisk, rolling pin, pie,
			food, dish, platter, butter, milk, sauce, cruet, salt, pepper, chopping, colander, ladle, bean, table mat, table, tablecloth, dinner,
			breakfast, honey, chocolate, opener, knife, chopstick, sieve, cafetiere, cooking, spice, casserole, ramekin, thermos, flask, vinegar,
			decanter, doughnut, fridge, cooler, drink, drinking, beer, fruit, crockery, trivet, pot holder, pot stand, serving, server, parfait, carafe,
			sandwich, squeezer, herb, pastry, bib`)},
		{"storage", "Storage, tins and fittings", words(`tin, box, case, storage, drawer, cabinet, basket, chest, hook, hanger, rack, tidy, container, hamper,
			crate, bin, shelf, shelves, holder, caddy, cupboard, bucket, money bank, piggy bank, bank, stand, trunk, canister, cash, safe, pot, wardrobe,
			ashtray, pail, stool, knob, drawerknob, doorknob, handle, tube`)},
		{"decoration", "Decoration", words(`heart, ornament, wicker, wreath, hanging, mirror, mirrored, flower, bird, doorstop, door stop, mobile, cherub, decoration,
			decorative, wall, vase, star, bell, slate, feather, block, rose, rosette, butterfly, butterflies, angel, owl, figurine, urn, statue, egg,
			easter, rabbit, bunny, bunnies, chick, hen, cockerel, duck, cat, dog, fairy, wooden, zinc, tile, decal, candy, branch, wire, pebble, stone,
			crystal, glass, metal, ceramic, buddha, elephant, frog, horse, toadstool, mushroom, tulip, daisy, lily, poppy, sunflower, hydrangea, ivy,
			leaf, tree, plaque, painted, bead, cone, chair, dove, swallow, bust, lovebird, cherry, berry, shell, bookend, book end, pear, apple,
			column, tassel, foliage, lavender, scent, scented, drape, screen, wood, peacock, deer, gnome, globe, fish, gumball, charm, letter,
			art, glitter, lace, peg, babushka, word, flag, deco, dec`)},
	}
}

// words splits a list at its commas.
func words(list string) []string {
	all := strings.Split(list, ",")
	for i := range all {
		all[i] = strings.Join(strings.Fields(all[i]), " ")
	}
	return all
}

var categoryRules = CategoryRules()

// CategoryOf returns the category of a description by [CategoryRules], or [Other].
func CategoryOf(description string) string {
	text := plain(description)
	for _, r := range categoryRules {
		for _, w := range r.Words {
			if holds(text, w) {
				return r.Category
			}
		}
	}
	return Other
}

// plain returns a description as words in lower case, each between two spaces.
func plain(description string) string {
	var b strings.Builder
	b.WriteByte(' ')
	space := true
	for _, c := range strings.ToLower(description) {
		if c == '\'' {
			continue // CHILD'S is one word
		}
		if letter := c >= 'a' && c <= 'z'; letter {
			b.WriteRune(c)
			space = false
		} else if !space {
			b.WriteByte(' ')
			space = true
		}
	}
	b.WriteByte(' ')
	return spellings.Replace(b.String())
}

// spellings are read as one word each, and a light colour is no lamp.
var spellings = strings.NewReplacer(" light pink ", " pink ", " light blue ", " blue ", " light green ", " green ",
	" t light ", " tlight ", " t lights ", " tlight ", " tea light ", " tlight ", " tea lights ", " tlight ",
	" tealight ", " tlight ", " tealights ", " tlight ")

// holds reports whether the word stands in a [plain] text, in singular or plural.
func holds(text, word string) bool {
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return false
		}
		if i > 0 && text[i-1] == ' ' {
			switch rest := text[i+len(word):]; {
			case strings.HasPrefix(rest, " "), strings.HasPrefix(rest, "s "), strings.HasPrefix(rest, "es "):
				return true
			}
		}
		text = text[i+len(word):]
	}
}
