"""Tables of pictures: a row a picture."""
