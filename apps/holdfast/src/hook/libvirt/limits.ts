/** A domain in XML: the longest string that libvirt sends over its own wire (VIR_NET_MESSAGE_STRING_MAX). */
export const DOMAIN_XML_BYTES_MAX = 4 * 1024 * 1024;

/** Devices of one domain: more than any bus of a virtual machine takes, and each costs a call at every start. */
export const DOMAIN_DEVICES_MAX = 256;
