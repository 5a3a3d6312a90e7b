"""What pages share: small images, scripts and styles, and the functions that write a page."""
