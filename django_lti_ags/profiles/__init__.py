"""What differs between platforms: the request, or the verdict on its answer; never the flow."""
