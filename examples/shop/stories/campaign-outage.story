story: Who was not reached within the day gets nothing the day after
start: 2011-12-01
journeys: winter-lights

Thu 08:00  ada  Consent Given    email
           ada  Order Completed  lamp/lighting@49.90
           *    campaign send winter-lights
Thu 08:05  *    campaign pause winter-lights
Fri 10:00  *    campaign resume winter-lights           # nine o'clock was more than a day ago
           ada  -> expired mail winter-lights  expired
           ada  -> nothing
