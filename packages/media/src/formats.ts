/**
 * What may be read at all. ffmpeg picks the reader by looking at the bytes, whatever the file is called, and some
 * of its readers open other files or addresses (playlists, ffconcat, DASH, image sequences, SDP) or turn anything
 * into media (text as video). An allow-list is the only setting that stopped every hostile playlist: restricting
 * protocols to `file` alone still lets an HLS playlist read another user's file.
 *
 * Names are ffmpeg's (`ffmpeg -demuxers`, `ffmpeg -decoders`); those that an ffmpeg does not know do no harm.
 */
const demuxers = [
  // Containers with pictures: recorded lectures, screen captures, phones, broadcast.
  ...['mov', 'mp4', 'm4a', '3gp', '3g2', 'mj2', 'matroska', 'webm', 'avi', 'flv', 'asf', 'mpeg', 'mpegts', 'ogg'],
  // Sound alone.
  ...['aac', 'ac3', 'eac3', 'aiff', 'amr', 'amrnb', 'amrwb', 'ape', 'au', 'caf', 'dsf', 'dts', 'flac', 'iff', 'loas'],
  ...['mp3', 'mpc', 'mpc8', 'tak', 'tta', 'voc', 'w64', 'wav', 'wv'],
];

/** Sound only: no decoder of pictures or subtitles sees the upload, not even while ffmpeg looks at its streams. */
const decoders = [
  ...[
    'aac',
    'aac_fixed',
    'aac_latm',
    'ac3',
    'ac3_fixed',
    'eac3',
    'alac',
    'mp4als',
    'ape',
    'flac',
    'dca',
    'mlp',
    'truehd',
  ],
  ...[
    'amrnb',
    'amrwb',
    'libopencore_amrnb',
    'libopencore_amrwb',
    'gsm',
    'gsm_ms',
    'libgsm',
    'libgsm_ms',
    'qcelp',
    'ilbc',
  ],
  ...['mp1', 'mp1float', 'mp2', 'mp2float', 'mp3', 'mp3float', 'mp3adu', 'mp3adufloat', 'mp3on4', 'mp3on4float'],
  ...['opus', 'libopus', 'vorbis', 'libvorbis', 'speex', 'libspeex', 'nellymoser', 'mpc7', 'mpc8', 'tak', 'tta'],
  ...['wavpack', 'wmav1', 'wmav2', 'wmapro', 'wmalossless', 'wmavoice', 'qdm2', 'qdmc', 'mace3', 'mace6'],
  ...['dsd_lsbf', 'dsd_msbf', 'dsd_lsbf_planar', 'dsd_msbf_planar', 'dst', 'g726', 'g726le'],
  ...['adpcm_ima_wav', 'adpcm_ima_qt', 'adpcm_ms', 'adpcm_swf', 'adpcm_yamaha', 'adpcm_g726', 'adpcm_g726le'],
  ...['pcm_alaw', 'pcm_mulaw', 'pcm_u8', 'pcm_s8', 'pcm_s8_planar', 'pcm_dvd', 'pcm_bluray', 'pcm_lxf', 'pcm_s24daud'],
  ...['s16', 's24', 's32', 's64', 'u16', 'u24', 'u32', 'f32', 'f64'].flatMap((kind) => [
    `pcm_${kind}le`,
    `pcm_${kind}be`,
  ]),
  ...['pcm_s16le_planar', 'pcm_s16be_planar', 'pcm_s24le_planar', 'pcm_s32le_planar', 'pcm_f16le', 'pcm_f24le'],
];

/** More than any recorder has; beyond lies the WAV with 65,535 channels. */
export const maxChannels = 64;

/** The input options that every call of ffprobe on an upload begins with. It insists on knowing every codec. */
export function toProbeOptions(): string[] {
  return ['-protocol_whitelist', 'file', '-format_whitelist', demuxers.join(','), '-threads', '1'];
}

/** The input options that every call of ffmpeg on an upload begins with. */
export function toDecodeOptions(source: 'file' | 'pipe'): string[] {
  return [
    ...['-protocol_whitelist', source],
    ...['-format_whitelist', demuxers.join(',')],
    ...['-codec_whitelist', decoders.join(',')],
    ...['-threads', '1'],
  ];
}
