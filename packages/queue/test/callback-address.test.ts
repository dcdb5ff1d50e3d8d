import { expect, test } from 'vitest';
import { isPublicAddress, parseCallbackUrl } from '../src/callback-address.ts';

test.each(['8.8.8.8', '93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '2a00:1450:4001:813::200e'])(
  '%s is public',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.31.0.1',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  'fc00::1',
  'fe80::1',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  'not an address',
  '',
])('%s is not', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

const strict = { allowPrivate: false };

test.each(['https://example.org/done?x=1', 'http://example.org:8080/', 'https://8.8.8.8/'])('%s is taken', (text) => {
  expect(parseCallbackUrl(text, strict).href).toBe(text);
});

test.each([
  'example.org',
  '//example.org',
  'ftp://example.org/',
  'file:///etc/passwd',
  'https://user@example.org/',
  'https://user:secret@example.org/',
  'http://localhost:3000/',
  'http://api.localhost/',
  'http://metadata.google.internal/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.1/',
  'http://[::1]/',
  'http://[::ffff:10.0.0.1]/',
  'http://169.254.169.254/latest/meta-data/',
  `https://example.org/${'x'.repeat(2_000)}`,
])('%s is refused', (text) => {
  expect(() => parseCallbackUrl(text, strict)).toThrow(expect.objectContaining({ code: 'callback_refused' }));
});

test('private addresses where they are allowed; what is no web address is refused there, too', () => {
  expect(parseCallbackUrl('http://127.0.0.1:9/', { allowPrivate: true }).host).toBe('127.0.0.1:9');
  expect(() => parseCallbackUrl('file:///etc/passwd', { allowPrivate: true })).toThrow('callbackUrl');
});
