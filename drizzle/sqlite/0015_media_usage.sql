ALTER TABLE `usage` ADD `audio_ms` integer;--> statement-breakpoint
ALTER TABLE `usage` ADD `images` integer;--> statement-breakpoint
ALTER TABLE `usage` ADD `search_units` integer;--> statement-breakpoint
ALTER TABLE `usage` ADD `input_bytes` integer;--> statement-breakpoint
ALTER TABLE `usage` ADD `output_bytes` integer;