story: What the shop owes comes without consent, in the reader's language
start: 2026-11-20

Fri 23:30  ada  identify       email=ada@people.example  locale=de-DE
           ada  Order Shipped  order_id=A7  carrier=DHL
           ada  -> mail order-shipped  subject="Ihre Bestellung A7 ist unterwegs"
           bob  Order Delayed  order_id=A8
           bob  -> mail order-delayed  subject="Your order A8 is late"
