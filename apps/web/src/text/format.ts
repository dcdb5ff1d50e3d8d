import type { Messages } from './en.ts';

/** 75.3 → "1:15", 3675 → "1:01:15". */
export function toClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** A duration as one would say it; coarser the longer it is, because it is an estimate. */
export function toAbout(seconds: number, { time }: Messages): string {
  if (seconds < 5) return time.aFewSeconds;
  if (seconds < 55) return time.aboutSeconds(Math.ceil(seconds / 5) * 5);
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return time.aboutMinutes(Math.max(1, minutes));
  if (minutes >= 36 * 60) return time.aboutDays(Math.round(minutes / 1440));
  const tens = Math.round(minutes / 10) * 10;
  return time.aboutHours(Math.floor(tens / 60), tens % 60);
}

/** A measured duration: "< 0.1 s", "0.4 s", "12 s", "3 min 20 s". */
export function toTaken(seconds: number, { time }: Messages): string {
  if (seconds < 0.1) return time.hardly;
  if (seconds < 10) return time.seconds(seconds.toFixed(1));
  const whole = Math.round(seconds);
  return whole < 60 ? time.seconds(whole) : time.minutes(Math.floor(whole / 60), whole % 60);
}

export function toPercent(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 100)} %`;
}

/** Decimal units, as file managers show them. */
export function toBytes(bytes: number, { time: { byteUnits } }: Messages): string {
  const power = bytes < 1000 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${byteUnits[power]}`;
}

/**
 * "en" → "English"; a code that nobody knows stays as it is. To look the names up costs a browser some milliseconds the first
 * time, so it is done once for many.
 */
export function createLanguageNames({ locale }: Messages): (code: string) => string {
  const names = new Intl.DisplayNames([locale], { type: 'language' });
  return (code) => {
    try {
      return names.of(code) ?? code;
    } catch {
      return code;
    }
  };
}

/** "today, 14:05", "yesterday, 9:30", "3 May, 9:30", with the year when it is another one. */
export function toDay(iso: string, messages: Messages, now: Date = new Date()): string {
  const date = new Date(iso);
  const { locale, time: texts } = messages;
  const time = date.toLocaleTimeString(locale, { hour: 'numeric', minute: '2-digit' });
  const dayOf = (value: Date) => new Date(value.getFullYear(), value.getMonth(), value.getDate()).getTime();
  const daysAgo = Math.round((dayOf(now) - dayOf(date)) / 86_400_000);
  if (daysAgo === 0) return texts.today(time);
  if (daysAgo === 1) return texts.yesterday(time);
  const isThisYear = date.getFullYear() === now.getFullYear();
  const day = date.toLocaleDateString(locale, {
    day: 'numeric',
    month: 'long',
    ...(isThisYear ? {} : { year: 'numeric' }),
  });
  return texts.day(day, time);
}
